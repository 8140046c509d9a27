import { createEffect, createSignal, on, Show, type JSX } from 'solid-js';
import type { HostStatus } from '../../protocol/index.js';
import { useApp, type App } from '../app.js';
import { makeLatest } from '../link/latest.js';
import { shortName } from '../look/model-name.js';
import { bytes, count } from '../look/numbers.js';
import { ModelChooser } from './model-chooser.jsx';
import { RunControls } from './run-controls.jsx';

const facts = (app: App): string => {
  const ofRun = app.runOnly() ? app.debugging.lastAbout()?.model : undefined;
  const model = ofRun ?? app.model()?.summary ?? app.results.compare()?.model;
  if (!model) return '';
  const { encoderLayers, layers, heads, modelDim, vocab, parameters, family } = model;
  const lang = app.view.language;
  if (vocab === 0 || heads === 0) return `${family} · ${app.t().live.facts(layers, count(parameters, lang))}`;
  const stack = encoderLayers === undefined ? String(layers) : `${encoderLayers} + ${layers}`;
  const shape = {
    ...{ layers: stack, heads, width: modelDim, vocab: count(vocab, lang) },
    parameters: count(parameters, lang),
  };
  return `${family} · ${app.t().page.facts(shape)}`;
};

const LookButtons = (): JSX.Element => {
  const app = useApp();
  const page = () => app.t().page;
  return (
    <>
      <button
        class="plain"
        aria-label={page().theme.switch}
        onClick={() => app.setView({ theme: app.view.theme === 'dark' ? 'light' : 'dark' })}
      >
        {app.view.theme === 'dark' ? page().theme.light : page().theme.dark}
      </button>
      <button
        class="plain"
        aria-label={page().languageName}
        onClick={() => app.setView({ language: app.view.language === 'en' ? 'zh' : 'en' })}
      >
        {page().language}
      </button>
    </>
  );
};

/** Arrows that turn back, and forth. */
const arrows = {
  undo: 'M6.5 3 3 6.5 6.5 10M3.5 6.5H10a3.25 3.25 0 0 1 0 6.5H7.5',
  redo: 'M9.5 3 13 6.5 9.5 10M12.5 6.5H6a3.25 3.25 0 0 0 0 6.5h2.5',
} as const;

/** Undoes the last change, or makes it again. */
const Step = (props: {
  readonly act: keyof typeof arrows;
  readonly keys: string;
  readonly isOff: boolean;
}): JSX.Element => {
  const app = useApp();
  const name = () => app.t().page[props.act];
  return (
    <button
      id={props.act}
      class="plain run-button"
      aria-label={name()}
      aria-keyshortcuts={props.keys.replace('Ctrl ', 'Control+')}
      title={`${name()} (${props.keys})`}
      disabled={props.isOff}
      onClick={() => app.session.send({ type: props.act })}
    >
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" class="run-icon">
        <path d={arrows[props.act]} />
      </svg>
    </button>
  );
};

/** Where models run (the page has them on the processor), and what the host holds: asked for after each run. */
const Memory = (): JSX.Element => {
  const app = useApp();
  const [status, setStatus] = createSignal<HostStatus>();
  const asks = makeLatest(
    async () => {
      const client = app.session.client();
      if (client && !app.runOnly()) setStatus(await client.request('status', {}));
    },
    () => setStatus(undefined), // the host is gone, which is told elsewhere
    { supersede: 'stop', quietMs: 500 },
  );
  createEffect(on(app.results.compare, () => asks.ask(undefined)));
  return (
    <Show when={app.runOnly() ? undefined : status()}>
      {(of) => (
        <span
          class="memory soft small number"
          id="memory"
          title={app.t().page.memoryHeld(bytes(of().models.bytes), bytes(of().arena.bytes))}
        >
          {app.t().page.memory('CPU', bytes(of().models.bytes + of().arena.bytes))}
        </span>
      )}
    </Show>
  );
};

/** The model's name and shape, undo, the palette, and how the page looks. */
export const TopBar = (props: { readonly openPalette: () => void }): JSX.Element => {
  const app = useApp();
  let chooser: HTMLDialogElement | undefined;
  const openChooser = (): void => {
    app.session.send({ type: 'models' });
    app.session.send({ type: 'browse' });
    chooser?.showModal();
  };
  return (
    <header class="top">
      <span class="name">Cutaway</span>
      <Show when={app.session.store.state}>
        {(state) => (
          <button
            id="model"
            aria-label={app.t().page.chooseModel}
            title={(app.state() ?? state()).model}
            onClick={openChooser}
          >
            {shortName((app.state() ?? state()).model)} ▾
          </button>
        )}
      </Show>
      <span class="facts soft small" title={facts(app)}>
        {facts(app)}
      </span>
      <Memory />
      <span class="space" />
      <RunControls />
      <Step act="undo" keys="Ctrl Z" isOff={!app.session.store.canUndo} />
      <Step act="redo" keys="Ctrl Y" isOff={!app.session.store.canRedo} />
      <button onClick={() => props.openPalette()}>
        {app.t().page.palette} <kbd>Ctrl K</kbd>
      </button>
      <LookButtons />
      <ModelChooser ref={(dialog) => (chooser = dialog)} />
    </header>
  );
};
