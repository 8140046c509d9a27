import { Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Splitter } from '../../shell/splitter.jsx';
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
      <Splitter
        isLevel
        value={1 - app.view.stopped}
        least={0.15}
        most={0.85}
        change={(x) => app.setView({ stopped: Number((1 - x).toFixed(4)) })}
      />
      <section
        class="panel stopped"
        id="stopped"
        aria-label={t().scopes}
        style={{ flex: `0 0 ${(100 * app.view.stopped).toFixed(2)}%` }}
        onKeyDown={treeKeys}
      >
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
