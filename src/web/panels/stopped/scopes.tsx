import { createMemo, createSignal, For, Show, type JSX } from 'solid-js';
import type { ScopeName } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { useLook } from '../program/use-look.js';
import { Items } from './tree.jsx';

const pageSize = 60;

/** What is in a scope; asked for when it is opened. */
const Content = (props: { readonly scope: ScopeName }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [count, setCount] = createSignal(pageSize);
  const frame = () => app.debugging.frame()?.kind ?? 'op';
  const looked = useLook(
    (signal) =>
      app.debugging.look({ ask: 'scope', scope: props.scope, frame: frame(), start: 0, count: count() + 1 }, signal),
    () => [frame(), count()].join(),
  );
  const items = () => looked().value?.items ?? [];
  return (
    <ul role="group">
      <Items items={items().slice(0, count())} path={[props.scope]} />
      <Show when={looked().mistake}>{(why) => <li class="mistake">{why()}</li>}</Show>
      <Show when={looked().value && items().length === 0}>
        <li class="soft small">{t().empty}</li>
      </Show>
      <Show when={items().length > count()}>
        <li>
          <button class="plain small" onClick={() => setCount((n) => n + 5 * pageSize)}>
            {t().more(pageSize)}
          </button>
        </li>
      </Show>
    </ul>
  );
};

/** Groups of values of the chosen frame, each asked for when it is opened. */
export const Scopes = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [open, setOpen] = createSignal<ReadonlySet<ScopeName>>(
    new Set<ScopeName>(app.runOnly() ? ['inputs', 'outputs'] : ['inputs']),
  );
  const frame = () => app.debugging.frame()?.kind;
  const looked = useLook((signal) => app.debugging.look({ ask: 'scopes', frame: frame() ?? 'op' }, signal), frame);
  const names = createMemo(() => looked().value?.scopes.map(({ scope }) => scope) ?? [], [], {
    equals: (a, b) => a.join() === b.join(),
  });
  const toggle = (scope: ScopeName): void => {
    const next = new Set(open());
    if (!next.delete(scope)) next.add(scope);
    setOpen(next);
  };
  return (
    <ul class="tree" role="tree" id="scopes" aria-label={t().scopes}>
      <For each={names()}>
        {(scope) => (
          <li role="none">
            <div
              class="tree-row scope"
              id={`scope-${scope}`}
              role="treeitem"
              tabindex="0"
              aria-expanded={open().has(scope)}
              onClick={() => toggle(scope)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' && event.key !== ' ') return;
                event.preventDefault();
                toggle(scope);
              }}
            >
              <span class="twist" aria-hidden="true">
                {open().has(scope) ? '▾' : '▸'}
              </span>
              <span>{t().scopeNames[scope]}</span>
            </div>
            <Show when={open().has(scope)}>
              <Content scope={scope} />
            </Show>
          </li>
        )}
      </For>
    </ul>
  );
};
