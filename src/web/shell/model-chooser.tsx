import { createSignal, For, Show, type JSX } from 'solid-js';
import { isProcess, type FolderView, type ModelChoice } from '../../protocol/index.js';
import { useApp } from '../app.js';
import { AttachForm } from '../panels/live/attach-form.jsx';

interface ChooseProps {
  readonly choose: (model: string) => void;
}

/** A model that can be chosen, by its last name; where it is stands below. */
const Choice = (props: ChooseProps & { readonly model: string; readonly note: string }): JSX.Element => {
  const app = useApp();
  return (
    <li role="option" aria-selected={props.model === app.state()?.model}>
      <button class="plain choice" title={props.model} onClick={() => props.choose(props.model)}>
        {props.model}
      </button>
      <span class="soft small">{props.note}</span>
    </li>
  );
};

/** Goes through the folders that may be looked into, and chooses a model there. */
const Folders = (props: ChooseProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().start;
  const go = (folder: string): void => app.session.send({ type: 'browse', folder });
  const inside = (view: FolderView, name: string): string => `${view.folder.replace(/\/$/, '')}/${name}`;
  return (
    <Show when={app.session.store.folder}>
      {(view) => (
        <section class="folders" aria-label={t().browse}>
          <p class="folder-line small">
            <Show when={view().parent}>
              {(parent) => (
                <button class="small" onClick={() => go(parent())}>
                  ↑ {t().up}
                </button>
              )}
            </Show>
            <span class="mono soft">{view().folder}</span>
          </p>
          <ul class="list" role="listbox" id="folder" aria-label={view().folder}>
            <For each={view().models}>
              {({ name, model }) => (
                <li role="option" aria-selected={model === app.state()?.model}>
                  <button class="plain choice" title={model} onClick={() => props.choose(model)}>
                    {name}
                  </button>
                  <span class="soft small">{app.t().page.model}</span>
                </li>
              )}
            </For>
            <For each={view().folders}>
              {(name) => (
                <li role="option" aria-selected="false">
                  <button class="plain choice" onClick={() => go(inside(view(), name))}>
                    {name}/
                  </button>
                </li>
              )}
            </For>
            <Show when={view().models.length + view().folders.length === 0}>
              <li class="soft">{t().empty}</li>
            </Show>
            <Show when={view().more}>
              <li class="soft">{t().more}</li>
            </Show>
          </ul>
        </section>
      )}
    </Show>
  );
};

/** Opens the model that a path leads to. */
const PathForm = (props: ChooseProps): JSX.Element => {
  const app = useApp();
  const [path, setPath] = createSignal('');
  return (
    <form
      class="add-edit"
      onSubmit={(event) => {
        event.preventDefault();
        props.choose(path());
      }}
    >
      <input
        id="model-path"
        value={path()}
        placeholder={app.t().models.path}
        aria-label={app.t().models.path}
        onInput={(event) => setPath(event.currentTarget.value)}
      />
      <button type="submit">{app.t().models.open}</button>
    </form>
  );
};

/** Nothing of the prompt's other forms, and no run beside. */
const nothingElse = { target: null, ids: null, chat: null, targetIds: null, beside: null } as const;

/** Chooses another model: one that comes along, one that was open, one of the folders, or any by its path. */
export const ModelChooser = (props: { readonly ref: (dialog: HTMLDialogElement) => void }): JSX.Element => {
  const app = useApp();
  let dialog: HTMLDialogElement | undefined;
  const choose = (model: string): void => {
    dialog?.close();
    if (model.trim() === '') return;
    const { tour } = app.session.store;
    const begun = tour?.model === model ? { prompt: tour.prompt, word: tour.expected } : { word: null };
    if (app.side() === 'b') app.change({ model });
    else app.session.change({ model, edits: [], ...nothingElse, ...begun });
    app.session.look(null);
  };
  const known = (): readonly ModelChoice[] => app.session.store.models.filter(({ from }) => from !== 'folder');
  return (
    <dialog
      ref={(element) => {
        dialog = element;
        props.ref(element);
      }}
      id="model-chooser"
      aria-label={app.t().page.chooseModel}
    >
      <PathForm choose={choose} />
      <section class="attach-section" aria-label={app.t().live.attachTitle}>
        <p class="small soft">{app.t().live.attachTitle}</p>
        <AttachForm address="" attached={() => dialog?.close()} />
      </section>
      <ul class="list" role="listbox" aria-label={app.t().page.model}>
        <For each={known()}>
          {({ model, from }) => (
            <Choice
              model={model}
              note={isProcess(model) ? app.t().live.process : app.t().models[from]}
              choose={choose}
            />
          )}
        </For>
      </ul>
      <Folders choose={choose} />
    </dialog>
  );
};
