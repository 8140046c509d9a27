import { For, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { maskAt } from './rows.js';

/** Chooses the mask whose words are listed: it gets the focus. One mask leaves nothing to choose. */
export const MaskChoice = (): JSX.Element => {
  const app = useApp();
  const run = () => app.results.compare()?.after;
  const masks = () => run()?.masks ?? [];
  const chosen = (): number | undefined => {
    const shown = run();
    return shown && masks()[maskAt(shown, app.session.store.focus?.position)]?.position;
  };
  return (
    <Show when={masks().length > 1}>
      <span role="group" id="masks" aria-label={app.t().ways.masks}>
        <For each={masks()}>
          {({ position }) => (
            <button
              class="plain small"
              aria-pressed={position === chosen()}
              onClick={() => app.look({ position, head: undefined })}
            >
              {app.t().ways.maskAt(position)}
            </button>
          )}
        </For>
      </span>
    </Show>
  );
};
