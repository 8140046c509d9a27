import { For, type JSX } from 'solid-js';
import { useApp } from '../../app.js';

/** What log points wrote, the newest below. */
export const Log = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  return (
    <div>
      <ol class="log mono" id="log" aria-live="polite">
        <For each={app.debugging.log()} fallback={<li class="soft small">{t().noLog}</li>}>
          {(line) => (
            <li>
              <span class="soft small">{line.line === undefined ? '' : `${line.line}`}</span> {line.text}
            </li>
          )}
        </For>
      </ol>
      <button class="plain small" disabled={app.debugging.log().length === 0} onClick={() => app.debugging.clearLog()}>
        {t().clearLog}
      </button>
    </div>
  );
};
