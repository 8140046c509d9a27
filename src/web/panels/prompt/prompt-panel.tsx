import { createEffect, createSignal, on, onCleanup, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Panel } from '../../shell/panel.jsx';
import { Chips } from './chips.jsx';
import { GoesOn } from './goes-on.jsx';

/** Typing runs the model when it pauses this long. */
const pauseMs = 250;

interface FieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly change: (text: string) => void;
}

/** A text that is taken over when typing pauses; what other pages change shows, unless one types here. */
const TextField = (props: FieldProps): JSX.Element => {
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
      class="prompt-text"
      rows="1"
      spellcheck={false}
      aria-label={props.label}
      placeholder={props.placeholder}
      onInput={() => {
        clearTimeout(timer);
        timer = setTimeout(commit, pauseMs);
      }}
      onBlur={commit}
    />
  );
};

const isEncoderDecoder = (app: ReturnType<typeof useApp>): boolean =>
  app.results.compare()?.model.encoderLayers !== undefined;

/** The text that the model reads, and what it goes on to say. */
export const PromptPanel = (): JSX.Element => {
  const app = useApp();
  const [typing, setTyping] = createSignal(0);
  const gesture = (): string => `prompt ${typing()}`;
  return (
    <Panel
      id="prompt"
      title={app.t().prompt.title}
      help={app.t().prompt.help}
      tools={<span class="soft small">{app.t().prompt.tokens(app.results.compare()?.after.tokens.length ?? 0)}</span>}
    >
      <div onFocusIn={() => setTyping((n) => n + 1)}>
        <TextField
          label={app.t().prompt.title}
          placeholder={app.t().prompt.placeholder}
          value={app.session.store.state?.prompt ?? ''}
          change={(prompt) => app.session.change({ prompt }, gesture())}
        />
        <Show when={isEncoderDecoder(app)}>
          <TextField
            label={app.t().prompt.target}
            placeholder={app.t().prompt.target}
            value={app.session.store.state?.target ?? ''}
            change={(target) => app.session.change({ target: target === '' ? null : target }, gesture())}
          />
        </Show>
      </div>
      <Chips />
      <GoesOn />
    </Panel>
  );
};
