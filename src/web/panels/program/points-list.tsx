import { createSignal, For, Show, type JSX } from 'solid-js';
import type { KnownSite } from '../../../language/index.js';
import { pointMoment, type SessionPoint } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { Mistake } from '../../shell/mistake.jsx';
import {
  caughtKind,
  caughtOf,
  changedPoint,
  withCaught,
  withoutPoint,
  withPoint,
  type CaughtKind,
} from '../../state/points.js';
import { ExpressionInput } from './expression-input.jsx';
import { mistakeOf } from './expressions.js';
import { pointName } from './point-name.js';
import { useLook } from './use-look.js';

const PointRow = (props: { readonly point: SessionPoint; readonly met: number }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const name = () => pointName(props.point, t(), app.debugging.tokens());
  const refusal = () => app.debugging.view().refused.find(({ what }) => what === props.point.id)?.error;
  const stands = () => app.debugging.view().stop?.point === props.point.id;
  return (
    <li classList={{ off: !props.point.on, stands: stands() }}>
      <div class="point-line">
        <input
          type="checkbox"
          checked={props.point.on}
          aria-label={t().enable(name())}
          onChange={(event) => {
            const { checked } = event.currentTarget;
            app.debugging.set((all) => changedPoint(all, props.point.id, { on: checked }));
          }}
        />
        <button
          class="plain point-name"
          aria-label={t().editPoint(name())}
          onClick={() => app.debugging.edit(props.point.id)}
        >
          {name()}
        </button>
        <span class="soft small">{props.met > 0 ? t().met(props.met) : ''}</span>
        <button
          class="plain"
          aria-label={t().removePoint(name())}
          onClick={() => app.debugging.set((all) => withoutPoint(all, props.point.id))}
        >
          ×
        </button>
      </div>
      <Mistake of={refusal()} />
    </li>
  );
};

/** `after h.*.mlp` as a moment and globs. */
const sitesAt = (text: string): Pick<SessionPoint, 'sites' | 'moment'> => {
  const [, word, sites] = /^(before|after|backward)\s+(.+)$/.exec(text) ?? [];
  const moment = pointMoment.safeParse(word).data;
  return moment === undefined ? { sites: text } : { sites, moment };
};

/** Sites by globs, or an expression whose change stops. */
const AddPoint = (props: { readonly sites: readonly KnownSite[] }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [text, setText] = createSignal('');
  const add = (key: 'sites' | 'watch'): void => {
    const given = text().trim();
    if (given === '' || (key === 'watch' && mistakeOf('expression', given) !== undefined)) return;
    app.debugging.set((all) => withPoint(all, key === 'watch' ? { watch: given } : sitesAt(given)));
    setText('');
  };
  /** In a process also the moment before a module's path: `after h.*.mlp`, `optimiser`; of a model `backward SITES`. */
  const isSites = () => {
    const given = text().trim();
    if (/^[\w.*#{},?-]+$/.test(given)) return true;
    if (app.source() === 'model') return /^(?:backward\s+[\w.*#{},?-]+|grad\([\w.*#]+\))$/.test(given);
    const moments = /^(?:(?:before|after|backward)\s+)?(?:[\w.*#{},?-]+|grad\([\w.*#]+\))$/;
    return app.source() === 'process' && moments.test(given);
  };
  return (
    <div class="add-point">
      <ExpressionInput
        id="add-point"
        kind={isSites() ? 'sites' : 'expression'}
        value={text()}
        sites={props.sites}
        label={t().addPoint}
        placeholder={app.source() === 'process' ? app.t().live.sitesExample : t().sitesExample}
        change={setText}
        enter={() => add(isSites() ? 'sites' : 'watch')}
      />
      <button disabled={!isSites()} onClick={() => add('sites')}>
        {t().addSites}
      </button>
      <button
        disabled={text().trim() === '' || mistakeOf('expression', text()) !== undefined}
        onClick={() => add('watch')}
      >
        {t().addWatch}
      </button>
    </div>
  );
};

/** Kinds with something behind them. */
const taking = ['entropy', 'lost', 'exploding', 'vanishing'] as const;
type Taking = (typeof taking)[number];

const usual: Readonly<Partial<Record<CaughtKind, string>>> = {
  entropy: '0.1',
  lost: '',
  exploding: '1000',
  vanishing: '1e-8',
};

/** An exception as a check box; two of them take a number or a token. */
const Caught = (props: { readonly kind: CaughtKind }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const given = () => app.debugging.settings().caught.find((text) => caughtKind(text) === props.kind);
  const takes = (): Taking | undefined => taking.find((kind) => kind === props.kind);
  const [value, setValue] = createSignal(given()?.slice(props.kind.length).trim() ?? usual[props.kind] ?? '');
  const error = () => app.debugging.view().refused.find(({ what }) => what === given())?.error;
  const set = (isOn: boolean): void => {
    const text = `${props.kind} ${takes() ? value() : ''}`.trim();
    app.debugging.set((all) => withCaught(all, props.kind, isOn ? text : undefined));
  };
  return (
    <li>
      <label>
        <input
          type="checkbox"
          id={`caught-${props.kind}`}
          checked={given() !== undefined}
          disabled={props.kind === 'lost' && value() === ''}
          onChange={(event) => set(event.currentTarget.checked)}
        />{' '}
        {t().caught[props.kind]}
      </label>
      <Show when={takes()}>
        {(kind) => (
          <input
            class="caught-value"
            value={value()}
            placeholder={t().caughtValue[kind()]}
            aria-label={`${t().caught[kind()]}: ${t().caughtValue[kind()]}`}
            onInput={(event) => setValue(event.currentTarget.value.trim())}
            onChange={() => given() !== undefined && set(value() !== '')}
          />
        )}
      </Show>
      <Mistake of={error()} />
    </li>
  );
};

/** All breakpoints, and the exceptions that stop a run. */
export const PointsList = (props: { readonly sites: readonly KnownSite[] }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const points = () => app.debugging.settings().points;
  const looked = useLook(
    () => app.debugging.look({ ask: 'points' }),
    () =>
      points()
        .map(({ id }) => id)
        .join(),
  );
  const met = (id: number): number => looked().value?.points.find((point) => point.id === id)?.met ?? 0;
  return (
    <div class="points">
      <ul class="point-list" aria-label={t().sections.points}>
        <For
          each={points()}
          fallback={<li class="soft small">{app.source() === 'process' ? app.t().live.noPoints : t().noPoints}</li>}
        >
          {(point) => <PointRow point={point} met={met(point.id)} />}
        </For>
      </ul>
      <AddPoint sites={props.sites} />
      <h3 class="small soft">{t().exceptions}</h3>
      <ul class="caught-list">
        <For each={caughtOf(app.debugging.lastAbout()?.can.catches)}>{(kind) => <Caught kind={kind} />}</For>
      </ul>
    </div>
  );
};
