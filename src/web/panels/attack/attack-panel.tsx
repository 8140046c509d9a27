import { For, Show, type JSX } from 'solid-js';
import type { AttackResult, ScoredToken } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { compact, percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import { likeliestOf, setTrials } from '../trials/pair-fields.jsx';
import { RunBar } from '../trials/run-bar.jsx';
import { makeTrial, notYet } from '../trials/trial.js';
import { askedOf, attackedTokens, attackKinds, stepsOf, type AttackedToken } from './data.js';
import { takePrompt } from './use-prompt.js';

const Choices = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attacks;
  const kind = () => app.view.trials.attack ?? 'hotflip';
  return (
    <div class="trial-choices">
      <select
        id="attack-kind"
        aria-label={t().which}
        value={kind()}
        onChange={(event) => setTrials(app, { attack: event.currentTarget.value as 'hotflip' | 'input-reduction' })}
      >
        <For each={attackKinds}>{(name) => <option value={name}>{t().kinds[name]}</option>}</For>
      </select>
      <Show when={kind() === 'hotflip'}>
        <input
          type="text"
          class="small toward"
          id="attack-toward"
          list="attack-words"
          aria-label={t().toward}
          placeholder={t().toward}
          value={app.view.trials.toward ?? ''}
          onChange={(event) => setTrials(app, { toward: event.currentTarget.value || undefined })}
        />
        <datalist id="attack-words">
          <For each={likeliestOf(app).likeliest.slice(0, 12)}>{(token) => <option value={token.text} />}</For>
        </datalist>
      </Show>
    </div>
  );
};

const Token = (props: { readonly of: AttackedToken }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attacks;
  const from = (): string => visible(props.of.from.text);
  const isSwapped = (): boolean => props.of.to !== undefined && props.of.to.id !== props.of.from.id;
  const told = (): string =>
    props.of.to === undefined
      ? t().gone(from())
      : isSwapped()
        ? t().swapped(from(), visible(props.of.to.text))
        : from();
  return (
    <li
      classList={{ gone: props.of.to === undefined, swapped: isSwapped() }}
      aria-label={told()}
      title={told()}
      onPointerEnter={() => app.point(told())}
      onPointerLeave={() => app.point(undefined)}
    >
      <Show when={isSwapped() || props.of.to === undefined} fallback={from()}>
        <del>{from()}</del>
        <Show when={isSwapped()}>
          <ins>{visible(props.of.to?.text ?? '')}</ins>
        </Show>
      </Show>
    </li>
  );
};

const Said = (props: { readonly of: ScoredToken }): JSX.Element => (
  <>
    <td class="mono">{visible(props.of.text)}</td>
    <td class="number">{percent(props.of.probability)}</td>
  </>
);

/** What the model says before and after. */
const BeforeAfter = (props: { readonly result: AttackResult }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attacks;
  return (
    <table class="parts attack-ends" id="attack-ends">
      <thead>
        <tr>
          <th />
          <th>{t().says}</th>
          <th class="number">p</th>
          <th class="number">{t().loss}</th>
        </tr>
      </thead>
      <tbody>
        <For each={['before', 'after'] as const}>
          {(when) => (
            <tr>
              <th>{t()[when]}</th>
              <Said of={props.result[when].prediction} />
              <td class="number">{compact(props.result[when].loss)}</td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** The swaps or removals in their order, with what the model says after each. */
const Steps = (props: { readonly result: AttackResult }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attacks;
  const look = (position: number): void => {
    if (!props.result.target) app.look({ position });
  };
  return (
    <table class="parts attack-steps" id="attack-steps">
      <caption>{t().steps}</caption>
      <thead>
        <tr>
          <th class="number">{t().step}</th>
          <th>{props.result.attack === 'hotflip' ? t().swap : t().takenAway}</th>
          <th>{t().says}</th>
          <th class="number">p</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <td class="number">0</td>
          <td class="soft">{t().start}</td>
          <Said of={props.result.before.prediction} />
        </tr>
        <For each={stepsOf(props.result)}>
          {(step, i) => (
            <tr classList={{ better: props.result.succeeded && i() === stepsOf(props.result).length - 1 }}>
              <td class="number">{i() + 1}</td>
              <td>
                <button class="plain" onClick={() => look(step.position)}>
                  <span class="soft">{step.position}</span>{' '}
                  <span class="mono">
                    <del>{visible(step.from.text)}</del>{' '}
                    <Show when={step.to}>{(to) => <ins>{visible(to().text)}</ins>}</Show>
                  </span>
                </button>
              </td>
              <Said of={step.prediction} />
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

const Result = (props: { readonly result: AttackResult; readonly isOld: boolean }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attacks;
  const summary = (): string => {
    const { attack, succeeded, flips, tokens, final } = props.result;
    if (attack === 'hotflip') return (succeeded ? t().succeeded : t().failed).hotflip(flips.length);
    return succeeded
      ? t().succeeded['input-reduction'](tokens.length - final.length, tokens.length)
      : t().failed['input-reduction']();
  };
  return (
    <>
      <p role="status" id="attack-summary" classList={{ succeeded: props.result.succeeded }}>
        {summary()}
      </p>
      <ol class="attacked-text" id="attacked-text" aria-label={t().text}>
        <For each={attackedTokens(props.result)}>{(token) => <Token of={token} />}</For>
      </ol>
      <button
        id="attack-use"
        disabled={props.isOld || !props.result.succeeded}
        onClick={() => void takePrompt(app, props.result)}
      >
        {t().use}
      </button>
      <BeforeAfter result={props.result} />
      <Show when={stepsOf(props.result).length > 0}>
        <Steps result={props.result} />
      </Show>
      <For each={props.result.notes}>{(note) => <p class="small soft">{app.t().told.note(note)}</p>}</For>
    </>
  );
};

/** How little it takes for a prediction to fall, and how little it needs to stay. */
export const AttackPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attacks;
  const trial = app.kept('attack', () =>
    makeTrial(app, 'attack', {
      settings: ({ attack, toward }) => ({ attack, toward }),
      asked: (_, settings) => Promise.resolve(askedOf(settings, likeliestOf(app))),
    }),
  );
  return (
    <Panel id="attack" title={t().heading} help={t().help} differs={false} grows>
      <div class="scrolls trial">
        <Choices />
        <RunBar id="attack" name={t().run} trial={trial} missing={notYet(app)} />
        <Show when={trial.result()} keyed>
          {(result) => <Result result={result} isOld={trial.isOld()} />}
        </Show>
      </div>
    </Panel>
  );
};
