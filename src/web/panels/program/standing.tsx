import { For, Show, type JSX } from 'solid-js';
import { isProcess, type RunView } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { Mistake } from '../../shell/mistake.jsx';
import type { Words } from '../../i18n/index.js';
import { layerOf } from '../../look/names.js';
import { placeName } from './point-name.js';

/** Of a process the pass and the moment of a module; between passes it runs on. */
const placeInProcess = ({ state }: RunView, words: Words): string => {
  const step = state?.frames.find(({ kind }) => kind === 'step')?.name ?? '';
  if (state?.place === undefined) return words.live.between;
  return [state.place, step, ...(state.line === undefined ? [] : [words.program.places.line(state.line)])].join(' · ');
};

const placeOf = ({ state }: RunView, t: Words['program']): string => {
  if (!state) return '';
  const layer = layerOf(state.place ?? '');
  const part = state.place === undefined ? t.ended : layer === undefined ? state.place : t.inLayer(layer);
  return [t.atToken(state.position.step), part, ...(state.line === undefined ? [] : [t.places.line(state.line)])].join(
    ' · ',
  );
};

/** Why a run stands, in words. */
const useReason = () => {
  const app = useApp();
  return (): string => {
    const t = app.t().program;
    const { stop, state } = app.debugging.view();
    if (!stop) return '';
    if (stop.reason === 'entry' && app.debugging.about()?.kind === 'process') return app.t().live.attached;
    const point = app.debugging.settings().points.find(({ id }) => id === stop.point);
    const reason = t.reasons[stop.reason];
    if (stop.reason === 'breakpoint' && point) {
      // Its line is told already, as where the run stands.
      const place = point.line === state?.line ? '' : `: ${placeName(point, t, app.debugging.tokens())}`;
      return `${reason}${place}${point.condition ? ` ${t.when(point.condition)}` : ''}`;
    }
    if (stop.reason === 'data')
      return t.change(point?.watch ?? stop.label ?? '', String(stop.before ?? ''), String(stop.after ?? ''));
    return stop.description === undefined ? reason : `${reason}: ${stop.description}`;
  };
};

/** Where the run stands and why; what does not fit what the page shows; what went wrong. */
export const Standing = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const { view } = app.debugging;
  const reason = useReason();
  /** Attaching is the process's own panel's. */
  const isApart = () => view().phase === 'off' && isProcess(app.session.store.state?.model ?? '');
  return (
    <>
      <p class="standing" id="standing" role="status">
        <Show
          when={view().phase === 'stopped'}
          fallback={
            <Show
              when={view().phase === 'off' && !isApart()}
              fallback={<span class="soft">{isApart() ? app.t().live.apart : t().phases[view().phase]}</span>}
            >
              <button id="debug" class="main-action" disabled={!app.debugging.can('step')} onClick={app.debugging.open}>
                {t().debug}
              </button>{' '}
              <span class="soft small">{app.session.store.host.alive ? t().begin : t().lost}</span>
            </Show>
          }
        >
          <strong>
            {app.debugging.about()?.kind === 'process' ? placeInProcess(view(), app.t()) : placeOf(view(), t())}
          </strong>{' '}
          <span class="soft">{reason()}</span>
        </Show>
      </p>
      <Show when={view().outdated}>
        {(what) => (
          <p class="hint">
            {t().outdated[what()]} <button onClick={() => app.debugging.do('restart')}>{t().actions.restart}</button>
          </p>
        )}
      </Show>
      <Show when={view().changed && !view().outdated}>
        <p class="hint">
          {t().changed} <button onClick={() => app.debugging.do('restart')}>{t().actions.restart}</button>
        </p>
      </Show>
      <For each={app.runOnly() ? [] : view().notes}>
        {(note) => <p class="soft small">{app.t().told.note(note)}</p>}
      </For>
      <Mistake of={isApart() ? undefined : view().error} isAlert />
    </>
  );
};
