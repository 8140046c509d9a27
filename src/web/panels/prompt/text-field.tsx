import { createEffect, on, onCleanup, type JSX } from 'solid-js';

/** Typing runs the model when it pauses this long. */
const pauseMs = 250;

interface FieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly change: (text: string) => void;
  readonly id?: string;
  /** In a monospaced face: ids. */
  readonly mono?: boolean;
  readonly invalid?: boolean;
}

/** A text that is taken over when typing pauses; what other pages change shows, unless one types here. */
export const TextField = (props: FieldProps): JSX.Element => {
  let area: HTMLTextAreaElement | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const commit = (): void => {
    clearTimeout(timer);
    if (area && area.value !== props.value) props.change(area.value);
  };
  createEffect(
    on(
      () => props.value,
      (value) => {
        if (area && area.value !== value && document.activeElement !== area) area.value = value;
      },
    ),
  );
  onCleanup(() => clearTimeout(timer));
  return (
    <textarea
      ref={area}
      id={props.id}
      class="prompt-text"
      classList={{ ids: props.mono ?? false }}
      rows="1"
      spellcheck={false}
      aria-label={props.label}
      aria-invalid={props.invalid ?? false}
      placeholder={props.placeholder}
      onInput={() => {
        clearTimeout(timer);
        timer = setTimeout(commit, pauseMs);
      }}
      onBlur={commit}
    />
  );
};
