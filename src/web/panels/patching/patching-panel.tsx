import { createMemo, For, Show, type JSX } from 'solid-js';
import type { PatchResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { colorAt, css } from '../../look/color.js';
import { compact } from '../../look/numbers.js';
import { Panel } from '../../shell/panel.jsx';
import { trialCuts, trialMethods, type TrialCut, type TrialMethod } from '../../state/trials.js';
import { CorruptField, MeasuredFields, setTrials, useCorrupt } from '../trials/pair-fields.jsx';
import { PairsField } from '../trials/pairs-field.jsx';
import { notYet } from '../trials/trial.js';
import { RunBar } from '../trials/run-bar.jsx';
import {
  effectAt,
  endsOf,
  hasDirection,
  needsCorrupt,
  neutralOf,
  offeredName,
  offeredSites,
  placeName,
  rawAt,
  siteNames,
  strongestOf,
  usualSites,
} from './data.js';
import { Grids } from './grids.jsx';
import { boardGrid } from './on-board.js';
import { makeLooked, type Looked } from './looked.js';
import { patchingOf } from './patching.js';

const listed = 12;

/** Which sites are changed: a button each, and a field for any other. */
const Sites = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().patching;
  const chosen = (): readonly string[] => siteNames(app.view.trials.sites ?? usualSites);
  const isOffered = (name: string): boolean => (offeredSites as readonly string[]).includes(name);
  const others = (): readonly string[] => chosen().filter((name) => !isOffered(name));
  const set = (names: readonly string[]): void => {
    const sites = names.join(',');
    setTrials(app, { sites: sites === usualSites ? undefined : sites });
  };
  const toggle = (name: string): void => {
    const kept = offeredSites.filter((site) => (site === name) !== chosen().includes(site));
    set([...kept, ...others()]);
  };
  return (
    <div class="trial-choices" role="group" aria-label={t().sites}>
      <For each={offeredSites}>
        {(site) => (
          <button
            class="small"
            id={`patch-site-${site}`}
            title={site}
            aria-pressed={chosen().includes(site)}
            onClick={() => toggle(site)}
          >
            {t().siteNames[site]}
          </button>
        )}
      </For>
      <input
        type="text"
        class="mono small other-sites"
        aria-label={t().others}
        placeholder={t().others}
        value={others().join(', ')}
        onChange={(event) => set([...chosen().filter(isOffered), ...siteNames(event.currentTarget.value)])}
      />
    </div>
  );
};

const Choices = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().patching;
  const trials = () => app.view.trials;
  const field = (name: 'subject' | 'receivers'): JSX.Element => (
    <input
      type="text"
      class="small other-sites"
      id={`patch-${name}`}
      aria-label={t()[name]}
      placeholder={t()[name]}
      title={t()[name]}
      value={trials()[name] ?? ''}
      onChange={(event) => setTrials(app, { [name]: event.currentTarget.value || undefined })}
    />
  );
  return (
    <div class="trial-choices">
      <select
        id="patch-method"
        aria-label={t().method}
        value={trials().method ?? 'patch'}
        onChange={(event) => setTrials(app, { method: event.currentTarget.value as TrialMethod })}
      >
        <For each={trialMethods}>{(method) => <option value={method}>{t().methods[method]}</option>}</For>
      </select>
      <Show when={hasDirection(trials())}>
        <select
          aria-label={t().direction}
          value={trials().direction ?? 'denoise'}
          onChange={(event) => setTrials(app, { direction: event.currentTarget.value as 'denoise' | 'noise' })}
        >
          <For each={['denoise', 'noise'] as const}>{(way) => <option value={way}>{t().directions[way]}</option>}</For>
        </select>
      </Show>
      <select
        id="patch-by"
        aria-label={t().by}
        title={t().by}
        value={trials().by ?? 'usual'}
        onChange={(event) => setTrials(app, { by: event.currentTarget.value as TrialCut })}
      >
        <For each={trialCuts}>{(cut) => <option value={cut}>{t().cuts[cut]}</option>}</For>
      </select>
      <Show when={trials().method === 'noise'}>{field('subject')}</Show>
      <Show when={trials().method === 'path'}>{field('receivers')}</Show>
    </div>
  );
};

/** The cells that matter most; a click looks there. */
const Strongest = (props: { readonly result: PatchResult; readonly looked: Looked }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().patching;
  const middle = (): number => neutralOf(props.result);
  const most = createMemo(() => endsOf(props.result).to - middle());
  const far = (x: number | null): number => (x ?? middle()) - middle();
  return (
    <table class="parts strongest" id="patch-strongest">
      <caption>{t().strongest}</caption>
      <thead>
        <tr>
          <th>{t().where}</th>
          <th class="number">{t().metric}</th>
          <th class="number">{props.result.effect === 'share' ? t().share : t().change}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        <For each={strongestOf(props.result, listed)}>
          {(place) => (
            <tr>
              <td>
                <button class="plain" onClick={() => props.looked.go(place)}>
                  {t().siteNames[offeredName(place.grid.site)] ?? place.grid.site}{' '}
                  <span class="mono">{placeName(place)}</span>
                </button>
              </td>
              <td class="number">{compact(rawAt(place))}</td>
              <td class="number">{compact(effectAt(place))}</td>
              <td>
                <div
                  class="bar"
                  style={{
                    width: `${((100 * Math.abs(far(effectAt(place)))) / most()).toFixed(1)}%`,
                    background: css(colorAt(app.palette().diverging, far(effectAt(place)) < 0 ? 0.15 : 0.85)),
                  }}
                />
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** Shows the effects on the board, or what it showed before anything was patched. */
const OnBoard = (): JSX.Element => {
  const app = useApp();
  const isOn = (): boolean => app.view.measure === 'effect';
  return (
    <button
      class="small"
      id="patch-on-board"
      aria-pressed={isOn()}
      onClick={() => app.setView({ measure: isOn() ? 'probability' : 'effect' })}
    >
      {app.t().patching.show}
    </button>
  );
};

const Summary = (props: { readonly result: PatchResult; readonly isOfRun: boolean }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().patching;
  const ends = (): string =>
    props.result.effect === 'share'
      ? t().ends(compact(props.result.clean), compact(props.result.corrupted))
      : t().unchanged(compact(props.result.clean));
  return (
    <>
      <p id="patch-summary">
        <span class="mono">{props.result.metric}</span>
        {props.result.metrics ? ' …' : ''}: {ends()}{' '}
        <Show when={props.result.pairs > 1}>
          <span class="soft small">
            {app.t().trials.means(props.result.pairs, props.result.metrics !== undefined)}
          </span>{' '}
        </Show>
        <span class="soft small">{app.t().trials.seconds(props.result.runs, props.result.seconds.toFixed(2))}</span>{' '}
        <Show when={boardGrid(props.result) && props.isOfRun}>
          <OnBoard />
        </Show>
      </p>
      <Show when={props.result.guess}>
        {(guess) => (
          <p class="small">
            <strong class="guess">{t().guessed}</strong> {t().checked(guess().checked, compact(guess().correlation))}
          </p>
        )}
      </Show>
      <For each={props.result.method === 'attribution' ? [] : props.result.notes}>
        {(note) => <p class="small soft">{app.t().told.note(note)}</p>}
      </For>
    </>
  );
};

const Result = (props: { readonly result: PatchResult; readonly isOfRun: boolean }): JSX.Element => {
  const app = useApp();
  const looked = makeLooked(app, () => props.result);
  return (
    <>
      <Summary result={props.result} isOfRun={props.isOfRun} />
      <Grids result={props.result} looked={looked} />
      <Strongest result={props.result} looked={looked} />
    </>
  );
};

/** What becomes of a number when parts of the model have another run's values, or none. */
export const PatchingPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().patching;
  const trial = patchingOf(app);
  const corrupt = useCorrupt();
  const hasMany = (): boolean => app.view.trials.pairs !== undefined;
  const missing = (): string | undefined => {
    const waits = notYet(app);
    if (waits !== undefined) return waits;
    if (siteNames(app.view.trials.sites ?? usualSites).length === 0) return t().noSites;
    if (hasMany()) return undefined;
    if (app.view.trials.method === 'noise' && !app.view.trials.subject) return t().noSubject;
    return needsCorrupt(app.view.trials) && corrupt.isSame() ? app.t().trials.same : undefined;
  };
  return (
    <Panel id="patching" title={t().heading} help={t().help} differs={false} grows>
      <div class="scrolls trial">
        <Show when={needsCorrupt(app.view.trials) && !hasMany()}>
          <CorruptField id="patch" corrupt={corrupt} needsEqual={false} />
        </Show>
        <PairsField id="patch" />
        <MeasuredFields id="patch" hasPair={needsCorrupt(app.view.trials)} />
        <Choices />
        <Sites />
        <RunBar id="patch" name={t().run} trial={trial} missing={missing()} />
        <Show when={trial.result()} keyed>
          {(result) => <Result result={result} isOfRun={trial.isOfRun()} />}
        </Show>
      </div>
    </Panel>
  );
};
