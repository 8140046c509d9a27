import { createRenderEffect, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { AppProvider, type App } from '../app.js';
import { BoardPanel } from '../panels/board/board-panel.jsx';
import { ExperimentPanel } from '../panels/experiment/experiment-panel.jsx';
import { NowPanel } from '../panels/live/now-panel.jsx';
import { ProcessPanel } from '../panels/live/process-panel.jsx';
import { NextPanel } from '../panels/next/next-panel.jsx';
import { PromptPanel } from '../panels/prompt/prompt-panel.jsx';
import { StoppedPanel } from '../panels/stopped/stopped-panel.jsx';
import { BesideBar } from './beside-bar.jsx';
import { Detail } from './detail.jsx';
import { Notices } from './notices.jsx';
import { Palette } from './palette.jsx';
import { Splitter } from './splitter.jsx';
import { StatusLine } from './status-line.jsx';
import { TopBar } from './top-bar.jsx';
import { viewDefaults } from '../state/view.js';
import { useRunKeys } from './use-run-keys.js';

/** Keys that work wherever one is, unless one writes. */
const useKeys = (app: App, openPalette: () => void): void => {
  const press = (event: KeyboardEvent): void => {
    const isCommand = event.ctrlKey || event.metaKey;
    if (!isCommand) return;
    const key = event.key.toLowerCase();
    const writes = (event.target as HTMLElement | null)?.matches('input, textarea') ?? false;
    if (key === 'k') openPalette();
    else if (key === 'z' && !writes) app.session.send({ type: event.shiftKey ? 'redo' : 'undo' });
    else if (key === 'y' && !writes) app.session.send({ type: 'redo' });
    else return;
    event.preventDefault();
  };
  onMount(() => {
    addEventListener('keydown', press);
    onCleanup(() => removeEventListener('keydown', press));
  });
};

const runOnlyWidths = { left: 0.27, drawer: 0.26 } as const;

/** Left the text and the board, in the middle what is in focus, right the experiment. */
const Columns = (props: { readonly app: App }): JSX.Element => {
  const { view, setView } = props.app;
  const usual = viewDefaults();
  /** Where there is no board, the middle has the room, unless somebody set it otherwise. */
  const width = (column: 'left' | 'drawer'): number =>
    props.app.runOnly() && view[column] === usual[column] ? runOnlyWidths[column] : view[column];
  const columns = (): string =>
    `${(100 * width('left')).toFixed(2)}% 5px minmax(0, 1fr) 5px ${(100 * width('drawer')).toFixed(2)}%`;
  return (
    <main class="main" style={{ 'grid-template-columns': columns() }}>
      <div class="column">
        <Show
          when={props.app.runOnly()}
          fallback={
            <>
              <PromptPanel />
              <NextPanel />
              <BoardPanel />
            </>
          }
        >
          <ProcessPanel />
          <NowPanel />
        </Show>
      </div>
      <Splitter value={width('left')} least={0.2} most={0.7} change={(left) => setView({ left })} />
      <div class="column">
        <Detail />
      </div>
      <Splitter
        value={1 - width('drawer')}
        least={0.6}
        most={0.88}
        change={(x) => setView({ drawer: Number((1 - x).toFixed(4)) })}
      />
      <div class="column">
        <Show when={props.app.source() !== 'recording'}>
          <ExperimentPanel />
        </Show>
        <StoppedPanel />
      </div>
    </main>
  );
};

export const Page = (props: { readonly app: App }): JSX.Element => {
  const { app } = props;
  let palette: HTMLDialogElement | undefined;
  const openPalette = (): void => {
    if (!palette?.open) palette?.showModal();
  };
  createRenderEffect(() => {
    document.documentElement.dataset['theme'] = app.view.theme;
    document.documentElement.lang = app.view.language;
  });
  useKeys(app, openPalette);
  useRunKeys(app);
  return (
    <AppProvider value={app}>
      <div class="shell">
        <div>
          <TopBar openPalette={openPalette} />
        </div>
        <div class="middle">
          <Notices />
          <BesideBar />
          <Columns app={app} />
        </div>
        <StatusLine />
      </div>
      <Palette ref={(dialog) => (palette = dialog)} />
    </AppProvider>
  );
};
