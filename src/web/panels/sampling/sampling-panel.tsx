import { createEffect, createSignal, For, on, Show, type JSX } from 'solid-js';
import type { StageView, StepView } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { compact, hundredths, percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import type { Request } from '../../state/request.js';
import { ranges, rules, settingOf, withSetting, type Rule } from './settings.js';
import { stageRows, type StageCell, type StageRow } from './stages.js';

/** How many tokens are made, how many are listed of each distribution, and how many have a row. */
const [made, listed, rowCount] = [8, 200, 14];

const useSteps = () => {
  const app = useApp();
  const [steps, setSteps] = createSignal<readonly StepView[]>([]);
  const reads = makeLatest(
    async ({ input, edits, sampling }: Request, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const all = [...edits, ...sampling].map((text) => ({ text }));
      const given = { ...input, edits: all, maxNewTokens: made, stages: true, top: listed };
      const result = await client.request('run', given, { signal });
      setSteps(Array.isArray(result) ? [] : (result.steps ?? []));
    },
    () => setSteps([]),
    { supersede: 'wait', quietMs: 40 },
  );
  createEffect(
    on(app.results.shown, (request) => {
      if (request && app.results.compare()?.after.next.length) reads.ask(request);
    }),
  );
  return steps;
};

/** One rule: its value as a number and a slider, or that it is off. */
const Setting = (props: { readonly rule: Rule }): JSX.Element => {
  const app = useApp();
  const [gesture, setGesture] = createSignal(0);
  const t = () => app.t().sampling;
  const value = () => settingOf(app.experiment.edits(), props.rule);
  const name = () => t().settings[props.rule];
  const range = () => ranges[props.rule];
  const set = (x: number | undefined, label?: string): void => {
    if (x !== undefined && !Number.isFinite(x)) return;
    app.change({ edits: withSetting(app.experiment.edits(), props.rule, x).map((e) => ({ ...e })) }, label);
  };
  const moved = (x: number): void => set(x, `sampling ${props.rule} ${gesture()}`);
  return (
    <div class="setting" classList={{ off: value() === undefined }}>
      <button
        class="switch"
        role="switch"
        aria-checked={value() !== undefined}
        aria-label={name()}
        onClick={() => set(value() === undefined ? range().usual : undefined)}
      />
      <span>{name()}</span>
      <input
        type="range"
        aria-label={name()}
        min={range().least}
        max={Math.max(range().most, value() ?? 0)}
        step={range().step}
        value={value() ?? range().usual}
        onPointerDown={() => setGesture((n) => n + 1)}
        onInput={(event) => moved(event.currentTarget.valueAsNumber)}
        onChange={() => setGesture((n) => n + 1)}
      />
      <input
        type="number"
        class="number"
        aria-label={name()}
        min={range().least}
        step={range().step}
        placeholder={t().unset}
        value={value() ?? ''}
        onChange={(event) => set(event.currentTarget.value === '' ? undefined : event.currentTarget.valueAsNumber)}
      />
    </div>
  );
};

/** A token after one rule: a bar and a number, or what became of it. */
const Cell = (props: { readonly cell: StageCell }): JSX.Element => {
  const app = useApp();
  const told = () => (typeof props.cell === 'object' ? props.cell : undefined);
  const sign = () => (props.cell === 'removed' ? '—' : '…');
  return (
    <td class="stage" title={told() ? percent(told()?.probability) : app.t().sampling.removed}>
      <Show when={told()} fallback={<span class="soft">{sign()}</span>}>
        {(of) => (
          <>
            <div class="bar" style={{ width: `${(100 * of().probability).toFixed(1)}%` }} />
            <span class="number">{hundredths(of().probability)}</span>
          </>
        )}
      </Show>
    </td>
  );
};

/** A rule's name, its setting, and how many tokens it left. */
const Heading = (props: { readonly stage: StageView }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().sampling;
  return (
    <th class="stage">
      {t().stages[props.stage.name] ?? props.stage.name}
      <br />
      {props.stage.setting ?? ''}
      <br />
      <span class="soft">{t().left(props.stage.left)}</span>
    </th>
  );
};

const logitOf = (row: StageRow): string => {
  const [first] = row.cells;
  return typeof first === 'object' ? compact(first.logit) : '';
};

/** Tokens by rules: what each rule kept of what the model said, in hundredths. */
const Stages = (props: { readonly of: StepView }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().sampling;
  return (
    <table class="parts stages" id="stages">
      <caption>{t().caption}</caption>
      <thead>
        <tr>
          <th>{app.t().next.word}</th>
          <th class="number">{t().logit}</th>
          <For each={props.of.stages}>{(stage) => <Heading stage={stage} />}</For>
        </tr>
      </thead>
      <tbody>
        <For each={stageRows(props.of, rowCount)}>
          {(row) => (
            <tr aria-selected={row.isTaken}>
              <td class="mono" title={row.isTaken ? t().taken : ''}>
                {row.isTaken ? '▸' : ' '}
                {visible(row.text)}
              </td>
              <td class="number small">{logitOf(row)}</td>
              <For each={row.cells}>{(cell) => <Cell cell={cell} />}</For>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** How the next tokens are taken, rule by rule. */
export const SamplingPanel = (): JSX.Element => {
  const app = useApp();
  const steps = useSteps();
  const [at, setAt] = createSignal(0);
  const t = () => app.t().sampling;
  const step = () => steps()[Math.min(at(), steps().length - 1)];
  const setting = (rule: Rule) => settingOf(app.experiment.edits(), rule);
  const how = (): string => ((setting('temperature') ?? 0) > 0 ? t().drawn(String(setting('seed') ?? 0)) : t().greedy);
  return (
    <Panel id="sampling" title={t().title} help={t().help} differs={false} grows>
      <div class="scrolls">
        <div class="settings">
          <For each={rules}>{(rule) => <Setting rule={rule} />}</For>
        </div>
        <p class="soft small">{how()}</p>
        <Show when={step()} fallback={<p class="soft">{app.results.compare() ? t().none : ''}</p>}>
          {(of) => (
            <>
              <div class="chips made" role="group" aria-label={t().step}>
                <span class="soft small">{t().step}</span>
                <For each={steps()}>
                  {(one, i) => (
                    <button class="chip" aria-pressed={one === of()} onClick={() => setAt(i())}>
                      {visible(one.text)}
                    </button>
                  )}
                </For>
              </div>
              <Stages of={of()} />
            </>
          )}
        </Show>
      </div>
    </Panel>
  );
};
