import { createSignal, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { linesOf, mostPairsText } from './many-pairs.js';
import { setTrials } from './pair-fields.jsx';

/** Many prompts in place of the one that is looked at: lines that are written, pasted, or come as a file. */
export const PairsField = (props: { readonly id: string }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().trials;
  const [refused, setRefused] = createSignal<string>();
  let chosen: HTMLInputElement | undefined;
  const text = (): string => app.view.trials.pairs ?? '';
  const set = (pairs: string): void => {
    const isLong = pairs.length > mostPairsText;
    setRefused(isLong ? t().tooManyPairs(mostPairsText) : undefined);
    if (!isLong) setTrials(app, { pairs: pairs.trim() === '' ? undefined : pairs });
  };
  const take = (file: File | undefined): void => void file?.text().then(set);
  return (
    <details class="many-pairs small" open={text() !== ''}>
      <summary>{text() === '' ? t().manyPairs : t().pairCount(linesOf(text()).length)}</summary>
      <textarea
        id={`${props.id}-pairs`}
        class="mono"
        rows="3"
        spellcheck={false}
        aria-label={t().manyPairs}
        placeholder={'{"prompt": "…", "corrupt": "…", "answer": " …", "wrong": " …"}'}
        value={text()}
        onChange={(event) => set(event.currentTarget.value)}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          const file = event.dataTransfer?.files[0];
          if (!file) return; // a text is dropped as text
          event.preventDefault();
          take(file);
        }}
      />
      <input
        ref={(element) => (chosen = element)}
        type="file"
        class="unseen"
        tabindex="-1"
        aria-label={t().pairsFile}
        id={`${props.id}-pairs-file`}
        accept=".jsonl,.json,.txt"
        onChange={(event) => {
          take(event.currentTarget.files?.[0]);
          event.currentTarget.value = '';
        }}
      />
      <button class="small" onClick={() => chosen?.click()}>
        {t().pairsFile}
      </button>{' '}
      <Show when={text() !== ''}>
        <button class="small" id={`${props.id}-pairs-clear`} onClick={() => set('')}>
          {t().noPairs}
        </button>
      </Show>
      <Show when={refused()}>{(why) => <p class="mistake">{why()}</p>}</Show>
    </details>
  );
};
