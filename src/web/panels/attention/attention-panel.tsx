import type { JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Panel } from '../../shell/panel.jsx';

/** Where heads look. */
export const AttentionPanel = (): JSX.Element => {
  const app = useApp();
  return (
    <Panel id="attention" title={app.t().attention.title} help={app.t().attention.help} grows>
      <div class="scrolls" />
    </Panel>
  );
};
