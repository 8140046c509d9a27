import { Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import type { Trial } from './trial.js';

interface Props {
  readonly id: string;
  readonly name: string;
  readonly trial: Pick<
    Trial<'patch'> | Trial<'attack'> | Trial<'circuit'> | Trial<'diff'>,
    'busy' | 'progress' | 'failure' | 'isOld' | 'run' | 'cancel'
  >;
  /** Why it cannot be run as it is. */
  readonly missing?: string | undefined;
}

/** Starts, how far it is, stops; and what went wrong. */
export const RunBar = (props: Props): JSX.Element => {
  const app = useApp();
  const t = () => app.t().trials;
  const told = (): string => {
    const at = props.trial.progress();
    return at ? t().progress(at.done, at.total, t().whats[at.what] ?? at.what) : t().running;
  };
  return (
    <div class="run-bar">
      <button
        class="main-action"
        id={`${props.id}-run`}
        disabled={props.trial.busy() || props.missing !== undefined}
        onClick={() => props.trial.run()}
      >
        {props.name}
      </button>
      <Show when={props.trial.busy()}>
        <button id={`${props.id}-cancel`} onClick={() => props.trial.cancel()}>
          {app.t().status.cancel}
        </button>
        <Show when={props.trial.progress()} fallback={<progress aria-label={t().running} />}>
          {(at) => <progress aria-label={t().running} max={at().total} value={at().done} />}
        </Show>
        <span class="small soft" role="status">
          {told()}
        </span>
      </Show>
      <Show when={!props.trial.busy() && props.missing}>{(why) => <span class="small soft">{why()}</span>}</Show>
      <Show when={!props.trial.busy() && props.missing === undefined && props.trial.isOld()}>
        <span class="small soft" role="status">
          {t().old}
        </span>
      </Show>
      <Show when={props.trial.failure()}>
        {(text) => (
          <p role="alert" class="mistake">
            {text()}
          </p>
        )}
      </Show>
    </div>
  );
};
