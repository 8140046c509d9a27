import { For, type JSX } from 'solid-js';
import { targetUnit, type TargetUnit } from '../../protocol/index.js';
import { useApp } from '../app.js';
import { isAble, runActions, type RunAction } from '../state/debugging.js';
import { runKeys } from './run-keys.js';

/** 16 x 16, drawn with the text's colour: filled, or as lines. */
const icons: Readonly<Record<RunAction, () => JSX.Element>> = {
  continue: () => <path d="M4 2.5v11l9-5.5z" fill="currentColor" stroke="none" />,
  pause: () => <path d="M5 3v10M11 3v10" stroke-width="2.6" />,
  step: () => <path d="M2 9a6 5.5 0 0 1 11-2.4M13.5 2.5v4.3H9.2M8 12.5h.01" />,
  stepIn: () => <path d="M8 1.5V9M4.8 6.2 8 9.4l3.2-3.2M8 13h.01" />,
  stepOut: () => <path d="M8 9.5V2M4.8 5 8 1.8 11.2 5M8 13h.01" />,
  stepBack: () => <path d="M14 9A6 5.5 0 0 0 3 6.6M2.5 2.5v4.3h4.3M8 12.5h.01" />,
  reverse: () => <path d="M13 2.5v11L4 8z" fill="currentColor" stroke="none" />,
  restart: () => <path d="M12.8 9.5A5 5 0 1 1 11 4.2L13 6M13.2 2.2V6H9.4" />,
  stop: () => <path d="M3.5 3.5h9v9h-9z" fill="currentColor" stroke="none" />,
};

const Icon = (props: { readonly of: RunAction }): JSX.Element => (
  <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" class="run-icon">
    {icons[props.of]()}
  </svg>
);

const RunButton = (props: { readonly action: RunAction }): JSX.Element => {
  const app = useApp();
  const name = () => app.t().program.actions[props.action];
  return (
    <button
      id={`run-${props.action}`}
      class="plain run-button"
      aria-label={name()}
      aria-keyshortcuts={runKeys[props.action].map((key) => key.replace('Ctrl', 'Control')).join(' ')}
      title={`${name()} (${runKeys[props.action].join(', ')})`}
      disabled={!app.debugging.can(props.action)}
      onClick={() => app.debugging.do(props.action)}
    >
      <Icon of={props.action} />
    </button>
  );
};

/** Runs, pauses and steps the program, forward and back. */
export const RunControls = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const isRunning = (): boolean => app.debugging.view().phase === 'running';
  const shown = () =>
    runActions
      .filter((action) => action !== (isRunning() ? 'continue' : 'pause'))
      .filter((action) => isAble(action, app.debugging.lastAbout()));
  const unitNames = () => (app.debugging.lastAbout()?.kind === 'process' ? app.t().live.units : t().units);
  const units = () => app.debugging.lastAbout()?.can.units ?? targetUnit.options;
  return (
    <div class="run-controls" role="toolbar" aria-label={t().controls}>
      <For each={shown()}>{(action) => <RunButton action={action} />}</For>
      <select
        class="small"
        id="run-unit"
        aria-label={t().unit}
        title={t().unit}
        value={app.debugging.unit()}
        onChange={(event) => app.debugging.setUnit(event.currentTarget.value as TargetUnit)}
      >
        <For each={units()}>{(unit) => <option value={unit}>{unitNames()[unit]}</option>}</For>
      </select>
    </div>
  );
};
