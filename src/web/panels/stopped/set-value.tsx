import { createSignal, onMount, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { mistakeIn } from '../experiment/file.js';
import { changeText } from './change.js';

/** Writes another value: it becomes an edit of the experiment. */
export const SetValue = (props: {
  readonly place: string;
  readonly value: string;
  readonly close: () => void;
}): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [text, setText] = createSignal(/^-?[\d.]/.test(props.value) ? props.value : '');
  const edit = () => changeText(props.place, text(), app.debugging.view().state?.position.step ?? 0);
  const mistake = () => (text().trim() === '' ? undefined : mistakeIn(edit(), app.t(), app.runOnly()));
  const set = (): void => {
    if (text().trim() === '' || mistake() !== undefined) return;
    app.experiment.add(edit());
    props.close();
  };
  let field: HTMLInputElement | undefined;
  // At once: what is typed after the key that opened it belongs here.
  onMount(() => {
    field?.focus();
    field?.select();
  });
  return (
    <span class="set-value">
      <input
        ref={field}
        class="edit-text"
        value={text()}
        aria-label={t().setValue(props.place)}
        title={t().setHint}
        placeholder={t().setHint}
        aria-invalid={mistake() !== undefined}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => props.close()}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Enter') set();
          if (event.key === 'Escape') props.close();
        }}
      />
      <Show when={mistake()}>
        <span class="mistake">{mistake()}</span>
      </Show>
    </span>
  );
};
