import { Show, type JSX } from 'solid-js';
import type { WireError } from '../../protocol/index.js';
import { useApp } from '../app.js';

interface Props {
  readonly of: WireError | undefined;
  /** Whether it is read out at once. */
  readonly isAlert?: boolean;
}

/** What went wrong, and what to do, in the language of the page. */
export const Mistake = (props: Props): JSX.Element => {
  const app = useApp();
  const told = () => props.of && app.t().told.error(props.of);
  return (
    <Show when={told()}>
      {(error) => (
        <p class="mistake" role={props.isAlert ? 'alert' : undefined}>
          {error().message}
          {app.t().told.stop}
          <span class="soft">{error().hint}</span>
        </p>
      )}
    </Show>
  );
};
