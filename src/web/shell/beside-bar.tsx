import { For, Show, type JSX } from 'solid-js';
import type { ExperimentState } from '../../protocol/index.js';
import { useApp, type App } from '../app.js';
import { shortName } from '../look/model-name.js';
import { compact } from '../look/numbers.js';
import { shortened } from '../look/token-text.js';
import { klOf } from '../panels/next/rows.js';
import { besideOf, ownAspects, swapped, type Aspect, type Side } from '../state/beside.js';
import { alignBoards } from '../state/difference.js';

const promptText = ({ prompt, ids, chat }: ExperimentState): string =>
  ids ? ids.join(' ') : chat ? chat.map((m) => m.content).join(' ⏎ ') : prompt;

/** What a run has that the other has not. */
const tellAspect = (app: App, state: ExperimentState, aspect: Aspect): string => {
  switch (aspect) {
    case 'model':
      return shortName(state.model);
    case 'prompt':
      return shortened(promptText(state), 36);
    case 'experiment': {
      const on = state.edits.filter((e) => e.on).length;
      const name = state.name === '' ? '' : `${state.name}: `;
      return on === 0 ? app.t().beside.noEdits : `${name}${app.t().beside.edits(on)}`;
    }
  }
};

const sides: readonly Side[] = ['a', 'b', 'difference'];

/** Which run is looked at and changed, as buttons with what each has of its own. */
const SideButtons = (props: { readonly state: ExperimentState }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().beside;
  const told = (side: Side): string => {
    const of = side === 'b' ? besideOf(props.state) : side === 'a' ? props.state : undefined;
    return of
      ? ownAspects(props.state.beside)
          .map((aspect) => tellAspect(app, of, aspect))
          .join(' · ')
      : '';
  };
  return (
    <span role="group" class="sides" aria-label={t().show}>
      <For each={sides}>
        {(side) => (
          <button
            id={`side-${side}`}
            aria-pressed={app.side() === side}
            title={told(side)}
            onClick={() => app.setView({ side })}
          >
            <b>{t()[side]}</b>
            <Show when={told(side)}>
              <span class="soft small side-told">{told(side)}</span>
            </Show>
          </button>
        )}
      </For>
    </span>
  );
};

/** How far the two are apart, or why they are not compared. */
const Told = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().beside;
  const kl = () => klOf(app.results.compare());
  const unaligned = (): number => {
    const [a, b] = [app.results.board(), app.results.otherBoard()];
    return app.side() === 'difference' && a && b ? alignBoards(a, b).filter((at) => at === undefined).length : 0;
  };
  return (
    <Show
      when={app.results.besideError()}
      fallback={
        <>
          <Show when={app.results.shown()?.other && app.side() !== 'b'}>
            <span class="soft small number" id="beside-kl">
              {t().kl(compact(kl()))}
            </span>
          </Show>
          <Show when={app.side() === 'b'}>
            <span class="small editing">{t().editing}</span>
          </Show>
          <Show when={unaligned() > 0}>
            <span class="small soft">{t().unaligned(unaligned())}</span>
          </Show>
        </>
      }
    >
      {(error) => (
        <span class="mistake" role="alert" id="beside-error" title={app.t().told.error(error()).hint}>
          {t().refused} {app.t().told.error(error()).message}
          {app.t().told.stop}
          {app.t().told.error(error()).hint}
        </span>
      )}
    </Show>
  );
};

/** The line about two runs: which is looked at, how far apart they are, swap and close. */
export const BesideBar = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().beside;
  const state = () => (app.session.store.state?.beside ? app.session.store.state : undefined);
  return (
    <Show when={state()}>
      {(of) => (
        <section class="beside-bar" id="beside" aria-label={t().bar}>
          <SideButtons state={of()} />
          <Told />
          <span class="space" />
          <button
            class="plain small"
            aria-pressed={app.view.oneScale}
            onClick={() => app.setView({ oneScale: !app.view.oneScale })}
          >
            {t().oneScale}
          </button>
          <button class="plain small" id="swap" onClick={() => app.session.change(swapped(of()))}>
            {t().swap}
          </button>
          <button class="plain" aria-label={t().close} onClick={() => app.session.change({ beside: null })}>
            ×
          </button>
        </section>
      )}
    </Show>
  );
};
