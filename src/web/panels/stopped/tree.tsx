import { createContext, createSignal, For, Show, useContext, type JSX } from 'solid-js';
import { createStore } from 'solid-js/store';
import type { Item } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { mistakeIn } from '../experiment/file.js';
import { useLook } from '../program/use-look.js';
import { changeText, openKey } from './change.js';

/** Children that are asked for at once. */
const pageSize = 40;

interface Opened {
  readonly isOpen: (path: readonly string[]) => boolean;
  readonly toggle: (path: readonly string[]) => void;
}

const OpenedContext = createContext<Opened>();

/** Keeps what is open in the trees within it. */
export const TreeMemory = (props: { readonly children: JSX.Element }): JSX.Element => {
  const [open, setOpen] = createStore<Record<string, boolean>>({});
  const memory: Opened = {
    isOpen: (path) => open[openKey(path)] ?? false,
    toggle: (path) => setOpen(openKey(path), (is = false) => !is),
  };
  return <OpenedContext.Provider value={memory}>{props.children}</OpenedContext.Provider>;
};

const useOpened = (): Opened => useContext(OpenedContext) ?? { isOpen: () => false, toggle: () => undefined };

/** Arrows as in any tree: right opens, left closes, up and down go along what is seen. */
export const treeKeys = (event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void => {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.tree-row')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const to = (by: number): void => rows[at + by]?.focus();
  if (at < 0 || (event.target as HTMLElement).matches('input')) return;
  const row = rows[at];
  const isOpen = row?.getAttribute('aria-expanded');
  const moves: Readonly<Record<string, () => void>> = {
    ArrowDown: () => to(1),
    ArrowUp: () => to(-1),
    ArrowRight: () => (isOpen === 'false' ? row?.click() : to(1)),
    ArrowLeft: () => (isOpen === 'true' ? row?.click() : to(-1)),
  };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  move();
};

/** Writes another value: it becomes an edit of the experiment. */
const SetValue = (props: { readonly place: string; readonly value: string; readonly close: () => void }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [text, setText] = createSignal(/^-?[\d.]/.test(props.value) ? props.value : '');
  const edit = () => changeText(props.place, text(), app.debugging.view().state?.position.step ?? 0);
  const mistake = () => (text().trim() === '' ? undefined : mistakeIn(edit()));
  const set = (): void => {
    if (text().trim() === '' || mistake() !== undefined) return;
    app.experiment.add(edit());
    props.close();
  };
  return (
    <span class="set-value">
      <input
        ref={(input) => setTimeout(() => input.select())}
        class="edit-text"
        value={text()}
        aria-label={t().setValue(props.place)}
        title={t().setHint}
        placeholder={t().setHint}
        aria-invalid={mistake() !== undefined}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => props.close()}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Enter') set();
          if (event.key === 'Escape') props.close();
        }}
      />
      <Show when={mistake()}>
        <span class="mistake">{mistake()}</span>
      </Show>
    </span>
  );
};

/** The parts of a value, a page at a time. */
const Children = (props: { readonly item: Item; readonly path: readonly string[] }): JSX.Element => {
  const app = useApp();
  const [count, setCount] = createSignal(pageSize);
  const looked = useLook(
    async (signal) => {
      const { ref, part } = props.item;
      if (ref === undefined || !part) return [];
      const { items } = await app.debugging.look({ ask: 'children', ref, part, start: 0, count: count() }, signal);
      return items;
    },
    () => [props.item.ref, count(), JSON.stringify(props.item.part)].join(),
  );
  const more = () => (props.item.length ?? 0) - (looked().value?.length ?? 0);
  return (
    <ul role="group">
      <Items items={looked().value ?? []} path={props.path} />
      <Show when={looked().mistake}>{(why) => <li class="mistake">{why()}</li>}</Show>
      <Show when={looked().value !== undefined && more() > 0}>
        <li>
          <button class="plain small" onClick={() => setCount((n) => n + 5 * pageSize)}>
            {app.t().program.more(more())}
          </button>
        </li>
      </Show>
    </ul>
  );
};

interface ItemProps {
  readonly item: Item;
  /** Where its own name is not what it is shown by. */
  readonly name?: string;
  readonly path: readonly string[];
  readonly isMistake?: boolean;
  readonly end?: JSX.Element;
}

/** A value with its name; one with parts can be opened, one with a place can be set: a double click, or Enter. */
export const TreeItem = (props: ItemProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const opened = useOpened();
  const [isSetting, setSetting] = createSignal(false);
  const canOpen = () => props.item.part !== undefined && (props.item.length ?? 1) > 0;
  const isOpen = () => canOpen() && opened.isOpen(props.path);
  const place = () => (app.debugging.about()?.can.change ? props.item.place : undefined);
  const set = (): void => void setSetting(place() !== undefined);
  const watch = (): void => {
    const { expression } = props.item;
    if (expression === undefined || app.debugging.settings().watches.includes(expression)) return;
    app.debugging.set((all) => ({ ...all, watches: [...all.watches, expression] }));
  };
  return (
    <li role="none">
      <div
        class="tree-row"
        role="treeitem"
        tabindex="0"
        aria-expanded={canOpen() ? isOpen() : undefined}
        title={props.item.type}
        onClick={() => canOpen() && opened.toggle(props.path)}
        onKeyDown={(event) => {
          if (event.target !== event.currentTarget) return;
          if (event.key === 'Enter') set();
          if (event.key === 'w') watch();
          if (event.key === ' ' && canOpen()) opened.toggle(props.path);
          if (event.key === ' ') event.preventDefault();
        }}
      >
        <span class="twist" aria-hidden="true">
          {canOpen() ? (isOpen() ? '▾' : '▸') : ''}
        </span>
        <span class="mono item-name">{props.name ?? props.item.name}</span>
        <Show
          when={isSetting() ? place() : undefined}
          fallback={
            <span
              class="mono item-value"
              classList={{ mistake: props.isMistake ?? false, settable: place() !== undefined }}
              onDblClick={set}
            >
              {props.item.value}
            </span>
          }
        >
          {(at) => (
            <span onClick={(event) => event.stopPropagation()}>
              <SetValue place={at()} value={props.item.value} close={() => setSetting(false)} />
            </span>
          )}
        </Show>
        <span class="item-end" onClick={(event) => event.stopPropagation()}>
          <Show when={place() !== undefined && !isSetting()}>
            <button class="plain small" tabindex="-1" aria-label={t().setValue(place() ?? '')} onClick={set}>
              =
            </button>
          </Show>
          <Show when={props.item.expression !== undefined && !props.end}>
            <button class="plain small" tabindex="-1" aria-label={t().watchThis} title={t().watchThis} onClick={watch}>
              +
            </button>
          </Show>
          {props.end}
        </span>
      </div>
      <Show when={isOpen()}>
        <Children item={props.item} path={props.path} />
      </Show>
    </li>
  );
};

export const Items = (props: { readonly items: readonly Item[]; readonly path: readonly string[] }): JSX.Element => (
  // By place, not by object: what stands at a place is another after each step, and what is open there stays.
  <For each={props.items.map((_, i) => i)}>
    {(i) => {
      const item = (): Item => props.items[i] ?? { name: '', value: '' };
      return <TreeItem item={item()} path={[...props.path, item().name]} />;
    }}
  </For>
);
