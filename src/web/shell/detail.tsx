import type { JSX } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import { useApp } from '../app.js';
import { panelKinds, panelsOf } from '../panels/registry.js';
import { Tabs } from './tabs.jsx';

/** What is in focus, in one of several views: a tab each, a row for what one wants of them. */
export const Detail = (): JSX.Element => {
  const app = useApp();
  const panels = () => panelsOf(app.source());
  const open = () => panels().find((panel) => panel.id === app.view.tab) ?? panels()[0];
  const rows = () =>
    panelKinds
      .map((kind) => ({
        ...(app.runOnly() ? {} : { label: app.t().page.panelKinds[kind] }),
        tabs: panels()
          .filter((p) => p.kind === kind)
          .map(({ id, title }) => ({ id, title: title(app.t()) })),
      }))
      .filter(({ tabs }) => tabs.length > 0);
  return (
    <>
      <Tabs rows={rows()} prefix="tab" open={open()?.id ?? ''} choose={(tab) => app.setView({ tab })} />
      <div class="tab-panel" id="tab-panel" role="tabpanel" aria-labelledby={`tab-${open()?.id ?? ''}`}>
        <Dynamic component={open()?.panel} />
      </div>
    </>
  );
};
