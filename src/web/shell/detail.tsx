import { For, type JSX } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import { useApp } from '../app.js';
import { detailPanels } from '../panels/registry.js';

/** What is in focus, in one of several views: a tab each. */
export const Detail = (): JSX.Element => {
  const app = useApp();
  const open = () => detailPanels.find((panel) => panel.id === app.view.tab) ?? detailPanels[0];
  const move = (by: number): void => {
    const at = detailPanels.findIndex((panel) => panel === open());
    const next = detailPanels[(at + by + detailPanels.length) % detailPanels.length];
    if (next) app.setView({ tab: next.id });
    document.getElementById(`tab-${next?.id ?? ''}`)?.focus();
  };
  return (
    <>
      <div
        class="tabs"
        role="tablist"
        onKeyDown={(event) => {
          if (event.key === 'ArrowRight') move(1);
          if (event.key === 'ArrowLeft') move(-1);
        }}
      >
        <For each={detailPanels}>
          {(panel) => (
            <button
              role="tab"
              id={`tab-${panel.id}`}
              aria-selected={panel === open()}
              tabindex={panel === open() ? 0 : -1}
              onClick={() => app.setView({ tab: panel.id })}
            >
              {panel.title(app.t())}
            </button>
          )}
        </For>
      </div>
      <Dynamic component={open()?.panel} />
    </>
  );
};
