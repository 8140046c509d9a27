import { Show, type JSX } from 'solid-js';
import { useApp, type App } from '../app.js';
import { shortName } from '../look/model-name.js';
import { count } from '../look/numbers.js';
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
      <span class="facts soft small">{facts(app)}</span>
      <span class="space" />
      <RunControls />
      <button id="undo" onClick={() => app.session.send({ type: 'undo' })} disabled={!app.session.store.canUndo}>
        {app.t().page.undo}
      </button>
      <button id="redo" onClick={() => app.session.send({ type: 'redo' })} disabled={!app.session.store.canRedo}>
        {app.t().page.redo}
      </button>
      <button onClick={() => props.openPalette()}>
        {app.t().page.palette} <kbd>Ctrl K</kbd>
      </button>
      <LookButtons />
      <ModelChooser ref={(dialog) => (chooser = dialog)} />
    </header>
  );
};
