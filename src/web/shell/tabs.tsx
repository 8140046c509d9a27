import { For, Show, type JSX } from 'solid-js';
import { tabAfter, type Tabs as TabsShown } from './tab-keys.js';

interface Props extends TabsShown {
  /** Stands before each element's id. */
  readonly prefix: string;
  readonly choose: (id: string) => void;
}

/** One of several views. */
export const Tabs = (props: Props): JSX.Element => {
  const elementId = (id: string): string => `${props.prefix}-${id}`;
  const onKeyDown = (event: KeyboardEvent): void => {
    const tab = tabAfter(props, event.key);
    if (!tab) return;
    event.preventDefault();
    props.choose(tab.id);
    document.getElementById(elementId(tab.id))?.focus();
  };
  return (
    <div class="tabs" role="tablist" onKeyDown={onKeyDown}>
      <For each={props.rows}>
        {(row) => (
          <div class="tab-row" role="presentation">
            <Show when={row.label}>
              <span class="tab-kind" aria-hidden="true">
                {row.label}
              </span>
            </Show>
            <For each={row.tabs}>
              {(tab) => (
                <button
                  role="tab"
                  id={elementId(tab.id)}
                  aria-selected={tab.id === props.open}
                  tabindex={tab.id === props.open ? 0 : -1}
                  onClick={() => props.choose(tab.id)}
                >
                  {tab.title}
                  <Show when={tab.count}>
                    <span class="soft small"> {tab.count}</span>
                  </Show>
                </button>
              )}
            </For>
          </div>
        )}
      </For>
    </div>
  );
};
