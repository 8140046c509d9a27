import { For, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { SaysBar } from './says-bar.jsx';
import { useLook } from './use-look.js';

/** How many words are shown. */
const most = 12;

/** What the model would say where the run stands, read by the lens; at the end of a step what it says. */
export const Says = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const looked = useLook(() => app.debugging.look({ ask: 'words', count: most }));
  const notYet = () => (app.runOnly() ? app.t().live.noWords : t().notYet);
  const words = () => looked().value?.words ?? [];
  return (
    <div id="says">
      <p class="soft small">{app.runOnly() ? app.t().live.saysHere : t().saysHere}</p>
      <Show when={looked().mistake}>{(why) => <p class="mistake">{why()}</p>}</Show>
      <Show when={words().length > 0} fallback={<p class="soft small">{app.debugging.isOpen() ? notYet() : ''}</p>}>
        <table class="says">
          <tbody>
            <For each={words()}>
              {(word) => (
                <tr>
                  <td class="mono">{visible(word.text)}</td>
                  <td class="number">{percent(word.probability)}</td>
                  <SaysBar share={word.probability} />
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </Show>
    </div>
  );
};
