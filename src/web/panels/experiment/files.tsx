import { createSignal, Show, type JSX } from 'solid-js';
import { DebuggerError } from '../../../base/index.js';
import { useApp } from '../../app.js';
import { errorText } from '../../i18n/told.js';
import { ofFile, toFile } from './file.js';

const download = (name: string, text: string): void => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
};

const fileName = (name: string): string =>
  `${name.replaceAll(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 60) || 'experiment'}.json`;

/** The experiment's name, and saving and loading it as a file. */
export const Files = (): JSX.Element => {
  const app = useApp();
  const [told, setTold] = createSignal<string>();
  let input: HTMLInputElement | undefined;
  const t = () => app.t().experiment;
  const fingerprint = () => app.results.compare()?.model.fingerprint ?? '';
  const save = (): void => {
    const state = app.state();
    if (state) download(fileName(state.name), toFile(state, fingerprint()));
  };
  const load = async (file: File): Promise<void> => {
    try {
      const { name, edits, fingerprint: made } = ofFile(await file.text());
      app.change({ name, edits: [...edits] });
      setTold(made !== undefined && made !== fingerprint() ? t().other : undefined);
    } catch (error) {
      setTold(`${t().invalid} ${error instanceof DebuggerError ? errorText(app.t(), error) : ''}`);
    }
  };
  return (
    <div class="files">
      <input
        placeholder={t().name}
        aria-label={t().name}
        value={app.state()?.name ?? ''}
        onChange={(event) => app.change({ name: event.currentTarget.value })}
      />
      <button onClick={save} disabled={app.experiment.edits().length === 0}>
        {t().save}
      </button>
      <button onClick={() => input?.click()}>{t().load}</button>
      <input
        ref={input}
        type="file"
        class="unseen"
        tabindex="-1"
        aria-label={t().load}
        accept=".json,.txt"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) void load(file);
          event.currentTarget.value = '';
        }}
      />
      <Show when={told()}>
        <p class="mistake">{told()}</p>
      </Show>
    </div>
  );
};
