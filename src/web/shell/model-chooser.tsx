import { createSignal, For, type JSX } from 'solid-js';
import { useApp } from '../app.js';

/** Chooses another model: one that comes along, one of the folder, one that was open, or any by its path. */
export const ModelChooser = (props: { readonly ref: (dialog: HTMLDialogElement) => void }): JSX.Element => {
  const app = useApp();
  const [path, setPath] = createSignal('');
  let dialog: HTMLDialogElement | undefined;
  const choose = (model: string): void => {
    dialog?.close();
    if (model.trim() === '') return;
    const { tour } = app.session.store;
    const begun = tour?.model === model ? { prompt: tour.prompt, word: tour.expected } : { word: null };
    app.session.change({ model, edits: [], target: null, ...begun });
    app.session.look(null);
  };
  return (
    <dialog
      ref={(element) => {
        dialog = element;
        props.ref(element);
      }}
      aria-label={app.t().page.chooseModel}
    >
      <form
        class="add-edit"
        onSubmit={(event) => {
          event.preventDefault();
          choose(path());
        }}
      >
        <input
          value={path()}
          placeholder={app.t().models.path}
          aria-label={app.t().models.path}
          onInput={(event) => setPath(event.currentTarget.value)}
        />
        <button type="submit">{app.t().models.open}</button>
      </form>
      <ul class="list" role="listbox" aria-label={app.t().page.model}>
        <For each={app.session.store.models}>
          {({ model, from }) => (
            <li role="option" aria-selected={model === app.session.store.state?.model}>
              <button class="plain" onClick={() => choose(model)}>
                {model}
              </button>
              <span class="soft small">{app.t().models[from]}</span>
            </li>
          )}
        </For>
      </ul>
    </dialog>
  );
};
