import { For, Show, type JSX } from 'solid-js';
import type { DiffFinding, DiffResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { relativeText } from './data.js';

/** The difference along an axis, a slice a bar: a tenth of the largest is half as high. */
const Along = (props: { readonly of: DiffFinding['along'][number]; readonly floor: number }): JSX.Element => {
  const values = () => props.of.relative;
  const most = () => Math.max(props.floor, ...values().map((x) => x ?? 0));
  const height = (x: number | null): number => {
    if (x === null) return 20;
    return x <= props.floor ? 0 : Math.max(2, 20 * (1 + Math.log10(x / most()) / 2));
  };
  return (
    <figure class="along">
      <figcaption class="small soft">{props.of.axis}</figcaption>
      <svg
        viewBox={`0 0 ${values().length} 20`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${props.of.axis}: ${values().map(relativeText).join(', ')}`}
      >
        <For each={values()}>{(x, i) => <rect x={i() + 0.05} width="0.9" y={20 - height(x)} height={height(x)} />}</For>
      </svg>
    </figure>
  );
};

/** Axes that say something by themselves; of others it matters only where some of it agrees. */
const telling = new Set(['position', 'query', 'key', 'head', 'kvHead', 'expert']);

const Explanations = (props: { readonly finding: DiffFinding }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().diff;
  const best = () => props.finding.explanations[0];
  return (
    <Show
      when={best()}
      fallback={
        <Show when={props.finding.tried > 0}>{<p class="small">{t().unexplained(props.finding.tried)}</p>}</Show>
      }
    >
      {(likely) => (
        <>
          <p class="likely">
            <b>{t().likely}</b> {likely().says}
          </p>
          <Show when={likely().edit}>
            {(edit) => (
              <p class="small">
                {t().asEdit} <code>{edit()}</code>{' '}
                <button
                  class="small"
                  disabled={app.experiment.has(edit())}
                  onClick={() => app.experiment.toggle(edit())}
                >
                  {t().makeIt}
                </button>
              </p>
            )}
          </Show>
          <For each={props.finding.explanations.slice(1)}>
            {({ says, relative }) => <p class="small soft">{t().alsoPossible(says, relativeText(relative))}</p>}
          </For>
        </>
      )}
    </Show>
  );
};

/** A place where the two part, what the values show there, and which mistake explains it. */
const Finding = (props: {
  readonly finding: DiffFinding;
  readonly isFirst: boolean;
  readonly floor: number;
  readonly go: (site: string) => void;
}): JSX.Element => {
  const app = useApp();
  const t = () => app.t().diff;
  const along = () =>
    props.finding.along.filter(
      ({ axis, relative }) => telling.has(axis) || relative.some((r) => r !== null && r <= props.floor),
    );
  return (
    <li class="finding" classList={{ first: props.isFirst }}>
      <p>
        {props.isFirst ? t().firstAt : t().thenAt}{' '}
        <button class="plain mono finding-site" onClick={() => props.go(props.finding.site)}>
          {props.finding.site}
        </button>{' '}
        <span class="soft">{t().relative(relativeText(props.finding.relative))}</span>
      </p>
      <Show when={props.finding.from.length > 0}>
        <p class="small soft">{t().from(props.finding.from.join(', '))}</p>
      </Show>
      <Explanations finding={props.finding} />
      <Show when={props.finding.proof}>
        {(proof) => <p class="small">{t().proof(proof().agree, proof().of, proof().reach === 'everywhere')}</p>}
      </Show>
      <For each={props.finding.signs}>{(sign) => <p class="small">{sign}</p>}</For>
      <div class="alongs">
        <For each={along()}>{(of) => <Along of={of} floor={props.floor} />}</For>
      </div>
    </li>
  );
};

export const Findings = (props: { readonly of: DiffResult; readonly go: (site: string) => void }): JSX.Element => (
  <ol class="findings">
    <For each={props.of.findings}>
      {(finding, i) => <Finding {...{ finding, isFirst: i() === 0, floor: props.of.floor, go: props.go }} />}
    </For>
  </ol>
);
