import { For, Index, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import type { ComparedRun } from '../../../protocol/index.js';
import { percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';

/** A surprise of so many nats fills the line under a chip. */
const fullNats = 10;

/** What the model gave a token, and what it said in its stead. */
const chipText = (app: ReturnType<typeof useApp>, run: ComparedRun, i: number): string => {
  const t = app.t().prompt;
  const token = (run.target ?? run.tokens)[i];
  const [surprise, best] = [run.surprise[i], i > 0 ? run.best[i - 1] : undefined];
  return [
    t.token(i, visible(token?.text ?? ''), token?.id ?? 0),
    ...(surprise === null || surprise === undefined ? [] : [t.surprise(percent(Math.exp(-surprise)))]),
    ...(best && best.id !== token?.id && run.best.length > 1
      ? [t.instead(visible(best.text), percent(best.probability))]
      : []),
  ].join(', ');
};

const Chip = (props: { readonly run: ComparedRun; readonly index: number; readonly text: string }): JSX.Element => {
  const app = useApp();
  const share = () => Math.min(1, (props.run.surprise[props.index] ?? 0) / fullNats);
  const told = () => chipText(app, props.run, props.index);
  return (
    <button
      class="chip"
      aria-label={told()}
      aria-pressed={app.focus()?.position === props.index}
      classList={{ changed: app.results.compare()?.changed.includes(props.index) ?? false }}
      onClick={() => {
        app.look({ position: props.index });
        app.fork(props.index);
      }}
      onPointerEnter={() => app.point(told())}
      onPointerLeave={() => app.point(undefined)}
    >
      {visible(props.text)}
      <span class="surprise" style={{ width: `${(100 * share()).toFixed(0)}%` }} />
    </button>
  );
};

/** The tokens of the prompt; of an encoder-decoder those of the source and below them the decoder's. */
export const Chips = (): JSX.Element => {
  const app = useApp();
  const run = () => app.results.compare()?.after;
  return (
    <Show when={run()}>
      {(shown) => (
        <>
          <Show when={shown().target}>
            <div class="chips source">
              <For each={shown().tokens}>{(token) => <span class="chip">{visible(token.text)}</span>}</For>
            </div>
          </Show>
          <div class="chips" id="chips">
            <Index each={shown().target ?? shown().tokens}>
              {(token, i) => <Chip run={shown()} index={i} text={token().text} />}
            </Index>
          </div>
        </>
      )}
    </Show>
  );
};
