import { For, Show, type JSX } from 'solid-js';
import type { AttributedRow, FaithfulnessCurve } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { categories } from '../../look/color.js';
import { compact } from '../../look/numbers.js';
import { curvePath } from './data.js';

const box = { width: 320, height: 120, left: 44, right: 8, top: 8, bottom: 18 };

/** The number while tokens go, and while they come, in the order of their scores. */
const Curves = (props: { readonly of: NonNullable<AttributedRow['faithfulness']> }): JSX.Element => {
  const app = useApp();
  const both = (): readonly FaithfulnessCurve[] => [props.of.deletion, props.of.insertion];
  const values = (): readonly number[] => both().flatMap((c) => c.values.map((v) => v ?? 0));
  const [low, high] = [() => Math.min(...values()), () => Math.max(...values())];
  const at = (share: number, value: number): readonly [number, number] => [
    box.left + share * (box.width - box.left - box.right),
    box.top + ((high() - value) / (high() - low() || 1)) * (box.height - box.top - box.bottom),
  ];
  return (
    <svg
      class="chart"
      id="faithfulness"
      width={box.width}
      height={box.height}
      role="img"
      aria-label={app.t().attribution.curves}
    >
      <For each={[low(), high()]}>
        {(value) => (
          <>
            <line
              class="grid-line"
              x1={box.left}
              x2={box.width - box.right}
              y1={at(0, value)[1]}
              y2={at(0, value)[1]}
            />
            <text class="tick" x={box.left - 5} y={at(0, value)[1] + 4} text-anchor="end">
              {compact(value)}
            </text>
          </>
        )}
      </For>
      <text class="tick" x={box.left} y={box.height - 4}>
        0
      </text>
      <text class="tick" x={box.width - box.right} y={box.height - 4} text-anchor="end">
        100 %
      </text>
      <For each={both()}>{(curve, i) => <path class="curve" stroke={categories[i()]} d={curvePath(curve, at)} />}</For>
    </svg>
  );
};

/** Whether the scores add up, and whether their order holds what it says. */
export const Checks = (props: { readonly of: AttributedRow }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attribution;
  const area = (curve: FaithfulnessCurve): string =>
    curve.random === undefined ? compact(curve.auc) : t().compared(compact(curve.auc), compact(curve.random));
  return (
    <>
      <Show when={props.of.residual !== undefined}>
        <p class="small soft">
          {t().residual(compact(props.of.residual), compact(props.of.value), compact(props.of.baseline))}
        </p>
      </Show>
      <Show when={props.of.faithfulness}>
        {(curves) => (
          <>
            <Curves of={curves()} />
            <div class="chart-key small">
              <For each={[t().deletion(area(curves().deletion)), t().insertion(area(curves().insertion))]}>
                {(text, i) => (
                  <span>
                    <svg width="18" height="8" aria-hidden="true">
                      <line x1="0" x2="18" y1="4" y2="4" stroke={categories[i()]} stroke-width="3" />
                    </svg>{' '}
                    {text}
                  </span>
                )}
              </For>
            </div>
          </>
        )}
      </Show>
    </>
  );
};
