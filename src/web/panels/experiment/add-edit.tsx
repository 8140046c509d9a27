import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { completions } from './complete.js';
import { mistakeIn } from './file.js';

/** Names of all sites of the model, asked for once a model. */
const useSites = () => {
  const app = useApp();
  const [sites, setSites] = createSignal<readonly string[]>([]);
  // Known to run, so that the list is not what opens it.
  const model = createMemo(() => app.results.shown()?.input.model);
  createEffect(
    on(model, (name) => {
      const client = app.session.client();
      if (name === undefined || !client) return;
      client.request('list', { model: name, show: ['sites'] }).then(
        ({ sites: found = [] }) => setSites(found.map((s) => s.name)),
        () => setSites([]), // an edit can be written without completion
      );
    }),
  );
  return sites;
};

/** Writes an edit by hand, with completion; what is wrong is told before it is tried. */
export const AddEdit = (): JSX.Element => {
  const app = useApp();
  const sites = useSites();
  const [text, setText] = createSignal('');
  const mistake = () => (text().trim() === '' ? undefined : mistakeIn(text().trim(), app.t(), app.runOnly()));
  const names = () => (app.runOnly() ? app.program.sites().map(({ name }) => name) : sites());
  const offers = () => completions(text(), names());
  const add = (): void => {
    const edit = text().trim();
    if (edit === '' || mistake() !== undefined) return;
    app.experiment.add(edit);
    setText('');
  };
  return (
    <form
      class="add-edit"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <input
        id="add-edit"
        class="edit-text"
        list="edit-offers"
        autocomplete="off"
        spellcheck={false}
        value={text()}
        placeholder={app.t().experiment.placeholder}
        aria-label={app.t().experiment.add}
        aria-invalid={mistake() !== undefined}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" disabled={text().trim() === '' || mistake() !== undefined}>
        {app.t().experiment.addButton}
      </button>
      <datalist id="edit-offers">
        <For each={offers()}>{(offer) => <option value={offer} />}</For>
      </datalist>
      <Show when={mistake()}>
        <p class="mistake">{mistake()}</p>
      </Show>
    </form>
  );
};
