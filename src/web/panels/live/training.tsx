import { For, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { compact } from '../../look/numbers.js';
import { NumberList } from '../../shell/number-list.jsx';
import { curveOf, logShare } from './curve.js';
import type { TrainingSeen } from './use-training.js';

interface Props {
  readonly of: TrainingSeen;
}

const Curve = (props: { readonly name: string; readonly values: readonly (number | null)[] }): JSX.Element => {
  const curve = () => curveOf(props.values);
  return (
    <figure class="training-curve">
      <figcaption class="small">
        <span>{props.name}</span> <b class="number">{compact(props.values.at(-1))}</b>
      </figcaption>
      <Show when={curve().lines.length > 0}>
        <svg class="line-chart" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label={props.name}>
          <For each={curve().lines}>{(points) => <polyline points={points} />}</For>
        </svg>
        <span class="soft small number curve-ends">
          <span>{compact(curve().high)}</span>
          <span>{compact(curve().low)}</span>
        </span>
      </Show>
    </figure>
  );
};

/** The gradient's norm of each layer in the last step. */
const Layers = (props: Props): JSX.Element => {
  const app = useApp();
  const layers = () => Object.entries(props.of.steps.at(-1)?.layers ?? {});
  const norms = () => layers().map(([, norm]) => norm);
  return (
    <table class="layer-norms small" aria-label={app.t().live.layerNorms}>
      <tbody>
        <For each={layers()}>
          {([layer, norm]) => (
            <tr>
              <th scope="row" class="mono">
                {layer}
              </th>
              <td class="norm-bar">
                <span style={{ width: `${100 * logShare(norm, norms())}%` }} />
              </td>
              <td class="number">{compact(norm)}</td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** Loss and gradients of the steps so far, and what they suggest. */
export const Training = (props: Props): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const last = () => props.of.steps.at(-1);
  const rows = (): readonly (readonly [string, string])[] => [
    [t().step, String(last()?.step ?? '')],
    [t().rate, (last()?.lr ?? []).map((x) => compact(x)).join(', ')],
    [t().noise, compact(last()?.noise)],
  ];
  return (
    <>
      <For each={props.of.advice}>
        {({ kind, text }) => (
          <p class="hint advice">
            <b>{t().advice[kind as keyof ReturnType<typeof t>['advice']]}</b> {text}
          </p>
        )}
      </For>
      <Show when={last()?.loss !== null} fallback={<p class="soft small">{t().noLoss}</p>}>
        <Curve name={t().loss} values={props.of.steps.map(({ loss }) => loss)} />
      </Show>
      <Curve name={t().gradNorm} values={props.of.steps.map(({ gradNorm }) => gradNorm)} />
      <NumberList rows={rows()} />
      <h3 class="small soft">{t().layerNorms}</h3>
      <Layers of={props.of} />
    </>
  );
};
