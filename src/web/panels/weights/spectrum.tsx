import { createEffect, createSignal, on, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { compact } from '../../look/numbers.js';
import { NumberList } from '../../shell/number-list.jsx';
import type { WeightEntry } from '../../../protocol/index.js';
import type { Request } from '../../state/request.js';
import { weightParams } from './data.js';
import { spectrumFloor, spectrumLine, spectrumNumbers, type Spectrum } from './spectrum-numbers.js';

interface Asked {
  readonly request: Request;
  readonly entry: WeightEntry;
}

const isMatrix = ({ shape }: WeightEntry): boolean => shape.filter((n) => n > 1).length === 2;

/** The singular values of the weight that is shown, when it has been shown for a while. */
const useSpectrum = (entry: () => WeightEntry | undefined) => {
  const app = useApp();
  const [found, setFound] = createSignal<{ readonly of: string; readonly spectrum: Spectrum }>();
  const [busy, setBusy] = createSignal(false);
  const reads = makeLatest(
    async ({ request, entry: of }: Asked, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      setBusy(true);
      const { view } = await client
        .weight({ ...weightParams(request, of), as: { kind: 'spectrum' } }, { signal })
        .finally(() => setBusy(false));
      if (view.kind === 'spectrum') setFound({ of: of.name, spectrum: { ...view, shape: of.shape } });
    },
    () => setFound(undefined), // a matrix with NaN in it has none
    { supersede: 'stop', quietMs: 250 },
  );
  createEffect(
    on([app.results.shown, entry], ([request, of]) => {
      reads.cancel();
      if (found()?.of !== of?.name) setFound(undefined);
      if (request && of && isMatrix(of)) reads.ask({ request, entry: of });
    }),
  );
  return { spectrum: () => found()?.spectrum, busy, cancel: () => reads.cancel() };
};

const Numbers = (props: { readonly of: Spectrum }): JSX.Element => {
  const app = useApp();
  const rows = (): readonly (readonly [string, string])[] => {
    const t = app.t().weights;
    const { greatest, stableRank, effectiveRank, rank, condition } = spectrumNumbers(props.of);
    return [
      [t.greatest, compact(greatest)],
      [t.stableRank, compact(stableRank)],
      [t.effectiveRank, compact(effectiveRank)],
      [t.rank, rank === undefined ? '–' : `${rank} / ${props.of.count}`],
      [t.condition, compact(condition)],
    ];
  };
  return <NumberList rows={rows()} />;
};

/** The singular values of the weight: a line, and what they say of it. */
export const SpectrumView = (props: { readonly entry: WeightEntry | undefined }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().weights;
  const { spectrum, busy, cancel } = useSpectrum(() => props.entry);
  return (
    <section class="spectrum" aria-label={t().spectrum}>
      <h3>{t().spectrum}</h3>
      <Show when={busy()}>
        <p class="soft small" role="status">
          {t().spectrumBusy}{' '}
          <button class="small" onClick={cancel}>
            {app.t().status.cancel}
          </button>
        </p>
      </Show>
      <Show when={props.entry && !isMatrix(props.entry)}>
        <p class="soft small">{t().noSpectrum}</p>
      </Show>
      <Show when={spectrum()}>
        {(of) => (
          <>
            <div class="spectrum-chart">
              <span class="number small">{compact(of().values[0])}</span>
              <svg
                class="line-chart"
                viewBox="0 0 100 40"
                preserveAspectRatio="none"
                role="img"
                aria-label={t().spectrumLabel}
              >
                <polyline points={spectrumLine(of(), spectrumFloor(of()))} />
              </svg>
              <span class="number small">{compact(spectrumFloor(of()))}</span>
              <span class="spectrum-ends small soft">
                <span>σ₁</span>
                <span>{t().logarithmic}</span>
                <span>σ{of().count}</span>
              </span>
            </div>
            <Show when={of().values.length < of().count}>
              <p class="soft small">{t().truncated(of().values.length, of().count)}</p>
            </Show>
            <Numbers of={of()} />
          </>
        )}
      </Show>
    </section>
  );
};
