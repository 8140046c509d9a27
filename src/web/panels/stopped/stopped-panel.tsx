import { Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Frames } from './frames.jsx';
import { Scopes } from './scopes.jsx';
import { TreeMemory, treeKeys } from './tree.jsx';
import { Watches } from './watches.jsx';

/** While a run is open: what it is inside of, what is watched, and the values where it stands. */
export const StoppedPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const isShown = () => app.debugging.isOpen() || app.view.tab === 'program';
  return (
    <Show when={isShown()}>
      <section class="panel stopped" id="stopped" aria-label={t().scopes} onKeyDown={treeKeys}>
        <TreeMemory>
          <Show when={app.debugging.isOpen()}>
            <h2>{t().frames}</h2>
            <Frames />
          </Show>
          <h2>{t().watches}</h2>
          <Watches />
          <Show when={app.debugging.isOpen()}>
            <h2>{t().scopes}</h2>
            <Scopes />
          </Show>
        </TreeMemory>
      </section>
    </Show>
  );
};
