import { createMemo, createSignal, For, Show, type JSX } from 'solid-js';
import { useApp } from '../app.js';
import { entriesOf, found, type Entry } from './palette-entries.js';

/** How many finds are listed. */
const most = 60;

/** Finds a layer, a head, a token, a measure, a panel or an action by its name, and goes there. */
export const Palette = (props: { readonly ref: (dialog: HTMLDialogElement) => void }): JSX.Element => {
  const app = useApp();
  const [text, setText] = createSignal('');
  const [at, setAt] = createSignal(0);
  let dialog: HTMLDialogElement | undefined;
  const entries = createMemo(() => entriesOf(app));
  const finds = createMemo(() => found(entries(), text()).slice(0, most));
  const go = (entry: Entry | undefined): void => {
    dialog?.close();
    entry?.go();
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => setAt((i) => Math.min(finds().length - 1, i + 1)),
    ArrowUp: () => setAt((i) => Math.max(0, i - 1)),
    Enter: () => go(finds()[at()]),
  };
  return (
    <dialog
      id="palette"
      ref={(element) => {
        dialog = element;
        props.ref(element);
      }}
      aria-label={app.t().page.palette}
      onClose={() => setText('')}
    >
      <input
        autofocus
        value={text()}
        placeholder={app.t().palette.placeholder}
        aria-label={app.t().page.palette}
        aria-controls="palette-finds"
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const act = keys[event.key];
          if (!act) return;
          event.preventDefault();
          act();
        }}
      />
      <ul class="list" role="listbox" id="palette-finds" aria-label={app.t().page.palette}>
        <For each={finds()}>
          {(entry, i) => (
            <li role="option" aria-selected={i() === at()} onClick={() => go(entry)}>
              <span>{entry.name}</span>
              <span class="soft small">{entry.kind}</span>
            </li>
          )}
        </For>
        <Show when={finds().length === 0}>
          <li class="soft">{app.t().palette.none}</li>
        </Show>
      </ul>
    </dialog>
  );
};
