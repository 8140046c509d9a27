import { createSignal, Show, type JSX } from 'solid-js';
import type { SessionEdit } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { mistakeIn } from './file.js';
import { numberIn, withNumber, type EditNumber } from './numbers.js';

interface Props {
  readonly edit: SessionEdit;
  readonly index: number;
}

const onSlider = (x: number, { isLog }: Pick<EditNumber, 'isLog'>): number => (isLog ? Math.log10(x) : x);

/** Moves the number of an edit; what is moved without letting go is one step of undo. */
const Slider = (props: Props): JSX.Element => {
  const app = useApp();
  const [gesture, setGesture] = createSignal(0);
  const number = () => numberIn(props.edit.text);
  // The ends stay while it is moved: they would run away from under the hand.
  const [ends, setEnds] = createSignal(number());
  return (
    <Show when={ends()}>
      {(range) => (
        <input
          type="range"
          min={onSlider(range().least, range())}
          max={onSlider(range().most, range())}
          step={range().step}
          value={onSlider(number()?.value ?? 0, range())}
          aria-label={app.t().experiment.slider(props.edit.text)}
          onPointerDown={() => setGesture((n) => n + 1)}
          onInput={(event) => {
            const at = number();
            if (!at) return;
            const moved = event.currentTarget.valueAsNumber;
            const text = withNumber(props.edit.text, at, range().isLog ? 10 ** moved : moved);
            app.experiment.replace(props.index, text, `slider ${props.index} ${gesture()}`);
          }}
          onChange={() => {
            setGesture((n) => n + 1);
            setEnds(number());
          }}
        />
      )}
    </Show>
  );
};

/** An edit's text, which can be written anew: it is taken over when it is an edit. */
const EditText = (props: Props): JSX.Element => {
  const app = useApp();
  const [mistake, setMistake] = createSignal<string>();
  const take = (text: string): void => {
    setMistake(mistakeIn(text, app.t(), app.runOnly()));
    if (mistakeIn(text, app.t(), app.runOnly()) === undefined && text !== props.edit.text)
      app.experiment.replace(props.index, text);
  };
  return (
    <>
      <textarea
        class="edit-text"
        rows="1"
        value={props.edit.text}
        spellcheck={false}
        aria-label={props.edit.text}
        aria-invalid={mistake() !== undefined}
        onChange={(event) => take(event.currentTarget.value.trim())}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          take(event.currentTarget.value.trim());
        }}
      />
      <Show when={mistake()}>
        <p class="mistake">{mistake()}</p>
      </Show>
    </>
  );
};

/** One edit: on or off, its text, its number. */
export const EditRow = (props: Props): JSX.Element => {
  const app = useApp();
  const t = () => app.t().experiment;
  return (
    <li classList={{ off: !props.edit.on }}>
      <div class="edit-line">
        <button
          class="switch"
          role="switch"
          aria-checked={props.edit.on}
          aria-label={t().on(props.edit.text)}
          onClick={() => app.experiment.toggle(props.edit.text)}
        />
        <EditText {...props} />
        <button
          class="plain"
          aria-label={t().remove(props.edit.text)}
          onClick={() => app.experiment.remove(props.index)}
        >
          ×
        </button>
      </div>
      <Slider {...props} />
    </li>
  );
};
