import { For, Index, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Mistake } from '../../shell/mistake.jsx';
import { compact } from '../../look/numbers.js';
import { klOf } from '../next/rows.js';
import { Panel } from '../../shell/panel.jsx';
import { BesideDialog } from '../../shell/beside-dialog.jsx';
import { ModuleChanges } from '../live/module-changes.jsx';
import { AddEdit } from './add-edit.jsx';
import { AddMenus } from './add-menus.jsx';
import { EditRow } from './edit-row.jsx';
import { Files } from './files.jsx';

/** What the edits changed, in numbers. */
const Effect = (): JSX.Element => {
  const app = useApp();
  const of = () => app.results.compare();
  return (
    <Show when={app.results.shown()?.edits.length}>
      <dl class="effect">
        <dt>{app.t().experiment.kl}</dt>
        <dd class="number">{compact(klOf(of()))}</dd>
        <dt>{app.t().experiment.changed(of()?.changed.length ?? 0, of()?.kl.length ?? 0)}</dt>
        <dd />
      </dl>
    </Show>
  );
};

/** Notes on the edits, such as that one has no effect; and why the run failed, if it did. */
const Notes = (): JSX.Element => {
  const app = useApp();
  return (
    <>
      <Mistake of={app.results.error()} isAlert />
      <For each={app.results.compare()?.after.notes}>
        {(note) => <p class="soft small">{app.t().told.note(note)}</p>}
      </For>
    </>
  );
};

/** The edits as a list with switches and sliders. */
export const ExperimentPanel = (): JSX.Element => {
  const app = useApp();
  let compare: (() => void) | undefined;
  const tools = (
    <button class="small" id="compare" onClick={() => compare?.()}>
      {app.t().beside.open}
    </button>
  );
  return (
    <Panel
      id="experiment"
      title={app.t().experiment.title}
      help={app.t().experiment.help}
      grows
      tools={app.runOnly() ? undefined : tools}
    >
      <BesideDialog ref={(open) => (compare = open)} />
      <div class="scrolls">
        <Show
          when={app.experiment.edits().length > 0}
          fallback={<p class="soft">{app.runOnly() ? app.t().live.noChanges : app.t().experiment.none}</p>}
        >
          <ul class="edits">
            <Index each={app.experiment.edits()}>{(edit, i) => <EditRow edit={edit()} index={i} />}</Index>
          </ul>
          <button class="plain small clear-edits" onClick={() => app.experiment.set([])}>
            {app.t().experiment.clear}
          </button>
        </Show>
        <AddEdit />
        <Show when={app.runOnly()} fallback={<AddMenus />}>
          <ModuleChanges />
        </Show>
        <Effect />
        <Notes />
      </div>
      <Files />
    </Panel>
  );
};
