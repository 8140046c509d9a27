import { For, type JSX } from 'solid-js';
import { useApp } from '../app.js';
import { compact } from '../look/numbers.js';

interface Props {
  readonly of: { readonly counts: readonly number[]; readonly low: number | null; readonly high: number | null };
}

/** How often which numbers occur. */
export const Histogram = (props: Props): JSX.Element => {
  const app = useApp();
  const most = (): number => Math.max(1, ...props.of.counts);
  return (
    <>
      <svg
        class="histogram"
        viewBox={`0 0 ${props.of.counts.length} 20`}
        preserveAspectRatio="none"
        role="img"
        aria-label={app.t().weights.histogram}
      >
        <For each={props.of.counts}>
          {(n, i) => <rect x={i()} width="0.9" y={20 - (20 * n) / most()} height={(20 * n) / most()} />}
        </For>
      </svg>
      <div class="histogram-ends small">
        <span>{compact(props.of.low)}</span>
        <span>{compact(props.of.high)}</span>
      </div>
    </>
  );
};
