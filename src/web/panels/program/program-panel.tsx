import { createSignal, Match, Show, Switch, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Panel } from '../../shell/panel.jsx';
import { Tabs } from '../../shell/tabs.jsx';
import { Listing } from './listing.jsx';
import { Log } from './log.jsx';
import { PointEditor } from './point-editor.jsx';
import { PointsList } from './points-list.jsx';
import { Says } from './says.jsx';
import { Standing } from './standing.jsx';
import { Transcript } from './transcript.jsx';
import { WayBack } from './way-back.jsx';

const sections = ['points', 'says', 'tokens', 'log'] as const;
type Section = (typeof sections)[number];

/** What belongs to the program besides its lines: one at a time. */
const Sections = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [open, setOpen] = createSignal<Section>('points');
  const count = (section: Section): number =>
    section === 'points' ? app.debugging.settings().points.length : section === 'log' ? app.debugging.log().length : 0;
  // Of a process or a recording the left column has the tokens, and what it says.
  const shown = () => sections.filter((id) => !app.runOnly() || id === 'points' || id === 'log');
  const tabs = () => shown().map((id) => ({ id, title: t().sections[id], count: count(id) }));
  return (
    <div class="program-sections">
      <Tabs
        rows={[{ tabs: tabs() }]}
        prefix="section"
        open={open()}
        choose={(id) => setOpen(sections.find((section) => section === id) ?? 'points')}
      />
      <div class="program-section">
        <Switch>
          <Match when={open() === 'points'}>
            <PointsList sites={app.program.sites()} />
          </Match>
          <Match when={open() === 'says'}>
            <Says />
          </Match>
          <Match when={open() === 'tokens'}>
            <Transcript />
          </Match>
          <Match when={open() === 'log'}>
            <Log />
          </Match>
        </Switch>
      </div>
    </div>
  );
};

/** The model as a program, stepped through forward and back. */
export const ProgramPanel = (): JSX.Element => {
  const app = useApp();
  const help = (): string => {
    const { program, live } = app.t();
    return { model: program.help, process: live.programHelp, recording: live.recordingHelp }[app.source()];
  };
  return (
    <Panel id="program" title={app.t().program.title} help={help()} grows>
      <Standing />
      <WayBack sites={app.program.sites()} />
      <Show
        when={app.program.lines().length > 0}
        fallback={<p class="soft">{app.runOnly() ? app.t().live.noListing : app.t().program.noListing}</p>}
      >
        <Listing lines={app.program.lines()} />
      </Show>
      <PointEditor sites={app.program.sites()} />
      <Sections />
    </Panel>
  );
};
