import { createSignal, For, Match, Show, Switch, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Panel } from '../../shell/panel.jsx';
import { Listing } from './listing.jsx';
import { Log } from './log.jsx';
import { PointEditor } from './point-editor.jsx';
import { PointsList } from './points-list.jsx';
import { Says } from './says.jsx';
import { Standing } from './standing.jsx';
import { Transcript } from './transcript.jsx';

const sections = ['points', 'says', 'tokens', 'log'] as const;
type Section = (typeof sections)[number];

/** What belongs to the program besides its lines: one at a time. */
const Sections = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [open, setOpen] = createSignal<Section>('points');
  const count = (section: Section): number =>
    section === 'points' ? app.debugging.settings().points.length : section === 'log' ? app.debugging.log().length : 0;
  const move = (by: number): void => {
    const next = sections[(sections.indexOf(open()) + by + sections.length) % sections.length] ?? 'points';
    setOpen(next);
    document.getElementById(`section-${next}`)?.focus();
  };
  return (
    <div class="program-sections">
      <div
        class="tabs"
        role="tablist"
        onKeyDown={(event) => {
          if (event.key === 'ArrowRight') move(1);
          if (event.key === 'ArrowLeft') move(-1);
        }}
      >
        <For each={sections}>
          {(section) => (
            <button
              role="tab"
              id={`section-${section}`}
              aria-selected={section === open()}
              tabindex={section === open() ? 0 : -1}
              onClick={() => setOpen(section)}
            >
              {t().sections[section]}
              <Show when={count(section) > 0}>
                <span class="soft small"> {count(section)}</span>
              </Show>
            </button>
          )}
        </For>
      </div>
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
  return (
    <Panel id="program" title={app.t().program.title} help={app.t().program.help} grows>
      <Standing />
      <Show when={app.program.lines().length > 0} fallback={<p class="soft">{app.t().program.noListing}</p>}>
        <Listing lines={app.program.lines()} />
      </Show>
      <PointEditor sites={app.program.sites()} />
      <Sections />
    </Panel>
  );
};
