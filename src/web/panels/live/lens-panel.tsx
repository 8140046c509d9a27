import { createSignal, For, Show, type JSX } from 'solid-js';
import type { ViewAnswerOf } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import { SaysBar } from '../program/says-bar.jsx';
import { useLook } from '../program/use-look.js';

type Rows = ViewAnswerOf<'lens'>['rows'];

/** The stream from the end to the beginning, so that it stands as on the board. */
const Table = (props: { readonly rows: Rows }): JSX.Element => {
  const t = useApp().t;
  const followed = () => props.rows.find((row) => row.words.length > 0)?.words[0]?.text;
  return (
    <table class="says lens-table">
      <thead>
        <tr class="small soft">
          <th>{t().live.stream}</th>
          <th colSpan={3}>{t().live.says}</th>
          <Show when={followed()}>{(text) => <th colSpan={2}>{visible(text())}</th>}</Show>
        </tr>
      </thead>
      <tbody>
        <For each={props.rows.toReversed()}>
          {({ place, top, words }) => (
            <tr>
              <td class="mono small">{place}</td>
              <td class="mono">{visible(top.text)}</td>
              <td class="number">{percent(top.probability)}</td>
              <SaysBar share={top.probability} />
              <For each={words}>
                {({ probability }) => (
                  <>
                    <td class="number">{percent(probability)}</td>
                    <SaysBar share={probability} />
                  </>
                )}
              </For>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** What the model would say after each layer that the pass has come to, at its newest token. */
export const LensPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const [word, setWord] = createSignal('');
  const looked = useLook(
    (signal) => app.debugging.look({ ask: 'lens', tokens: word() === '' ? [] : [word()] }, signal),
    word,
  );
  const rows = (): Rows => looked().value?.rows ?? [];
  const nothing = (): string => (app.debugging.isOpen() ? t().noLens : t().noValue);
  return (
    <Panel id="lens" title={t().lens} help={t().lensHelp} grows>
      <div class="value-choice">
        <input
          id="lens-word"
          class="mono"
          value={word()}
          placeholder={t().word}
          aria-label={t().word}
          onChange={(event) => setWord(event.currentTarget.value)}
        />
      </div>
      <Show when={rows().length > 0} fallback={<p class="soft">{looked().mistake ?? nothing()}</p>}>
        <div class="scrolls">
          <Table rows={rows()} />
        </div>
      </Show>
    </Panel>
  );
};
