import { createContext, createSignal, For, Show, useContext, type JSX } from 'solid-js';
import { createStore } from 'solid-js/store';
import type { Item } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { useLook } from '../program/use-look.js';
import { openKey } from './change.js';
import { SetValue } from './set-value.jsx';

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

/** What can be done with a value, as a row and its buttons name it. */
const useItem = (props: ItemProps) => {
  const app = useApp();
  const opened = useOpened();
  const [isSetting, setSetting] = createSignal(false);
  const canOpen = () => props.item.part !== undefined && (props.item.length ?? 1) > 0;
  /** Changes are edits of the experiment, which runs without gradients too: those are not set here. */
  const place = () => {
    const { place: own } = props.item;
    return app.debugging.about()?.can.change && !own?.startsWith('grad(') ? own : undefined;
  };
  return {
    canOpen,
    place,
    isOpen: () => canOpen() && opened.isOpen(props.path),
    toggle: (): void => {
      if (canOpen()) opened.toggle(props.path);
    },
    isSetting,
    set: (): void => void setSetting(place() !== undefined),
    close: (): void => void setSetting(false),
    watch: (): void => {
      const { expression } = props.item;
      if (expression === undefined || app.debugging.settings().watches.includes(expression)) return;
      app.debugging.set((all) => ({ ...all, watches: [...all.watches, expression] }));
    },
    /** A site of the layer that the run is in goes without the layer's name. */
    name: (): string => {
      const layer = `${app.debugging.view().state?.place ?? ''}.`;
      const { name } = props.item;
      return props.name ?? (name.startsWith(layer) ? name.slice(layer.length) : name);
    },
  };
};

interface PartProps extends ItemProps {
  readonly at: ReturnType<typeof useItem>;
}

/** The value in words, or, while it is set, what it is set to. */
const Value = (props: PartProps): JSX.Element => (
  <Show
    when={props.at.isSetting() ? props.at.place() : undefined}
    fallback={
      <span class="mono item-value" classList={{ mistake: props.isMistake ?? false }} onDblClick={props.at.set}>
        {props.item.value}
      </span>
    }
  >
    {(place) => (
      <span onClick={(event) => event.stopPropagation()}>
        <SetValue place={place()} value={props.item.value} close={props.at.close} />
      </span>
    )}
  </Show>
);

/** What is seen of it where the pointer or the focus is: set it, watch it. */
const Buttons = (props: PartProps): JSX.Element => {
  const app = useApp();
  const t = app.t;
  return (
    <span class="item-end" onClick={(event) => event.stopPropagation()}>
      <Show when={props.at.isSetting() ? undefined : props.at.place()}>
        {(place) => (
          <button
            class="plain small"
            tabindex="-1"
            aria-label={t().program.setValue(place())}
            title={t().program.setValue(place())}
            onClick={props.at.set}
          >
            =
          </button>
        )}
      </Show>
      <Show when={app.runOnly() ? props.item.part : undefined}>
        {(part) => (
          <button
            class="plain small"
            tabindex="-1"
            aria-label={t().live.show(props.item.name)}
            title={t().live.show(props.item.name)}
            onClick={() => {
              if (props.item.ref === undefined) return;
              app.debugging.chooseValue({ ref: props.item.ref, at: part().at });
              app.setView({ tab: 'value' });
            }}
          >
            ▦
          </button>
        )}
      </Show>
      <Show when={props.item.expression !== undefined && !props.end}>
        <button
          class="plain small"
          tabindex="-1"
          aria-label={t().program.watchThis}
          title={t().program.watchThis}
          onClick={props.at.watch}
        >
          +
        </button>
      </Show>
      {props.end}
    </span>
  );
};

/** A value with its name; one with parts can be opened, one with a place can be set: a double click, or Enter. */
export const TreeItem = (props: ItemProps): JSX.Element => {
  const at = useItem(props);
  const keys: Readonly<Record<string, () => void>> = { Enter: at.set, w: at.watch, ' ': at.toggle };
  return (
    <li role="none">
      <div
        class="tree-row"
        role="treeitem"
        tabindex="0"
        aria-expanded={at.canOpen() ? at.isOpen() : undefined}
        title={[props.item.name, props.item.type ?? '', props.item.value].join('\n')}
        onClick={at.toggle}
        onKeyDown={(event) => {
          const act = event.target === event.currentTarget ? keys[event.key] : undefined;
          if (!act) return;
          event.preventDefault();
          act();
        }}
      >
        <span class="twist" aria-hidden="true">
          {at.canOpen() ? (at.isOpen() ? '▾' : '▸') : ''}
        </span>
        <span class="item-text">
          <span class="mono item-name">{at.name()}</span>
          <Value {...props} at={at} />
        </span>
        <Buttons {...props} at={at} />
      </div>
      <Show when={at.isOpen()}>
        <Children item={props.item} path={props.path} />
      </Show>
    </li>
  );
};

/** Values one below the other. By place, not by object: what is open at a place stays so while one steps. */
export const Items = (props: { readonly items: readonly Item[]; readonly path: readonly string[] }): JSX.Element => (
  <For each={props.items.map((_, i) => i)}>
    {(i) => {
      const item = (): Item => props.items[i] ?? { name: '', value: '' };
      return <TreeItem item={item()} path={[...props.path, item().name]} />;
    }}
  </For>
);
