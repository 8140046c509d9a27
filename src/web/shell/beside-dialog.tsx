import { createSignal, For, Show, type JSX } from 'solid-js';
import type { BesideState } from '../../protocol/index.js';
import { useApp } from '../app.js';
import { readIds, writeIds } from '../panels/prompt/ids.js';
import { besideFrom, type Aspect } from '../state/beside.js';

interface OptionProps {
  readonly id: string;
  readonly label: string;
  readonly isOn: boolean;
  readonly set: (isOn: boolean) => void;
  readonly children: JSX.Element;
}

const Option = (props: OptionProps): JSX.Element => (
  <div class="beside-option">
    <label>
      <input
        type="checkbox"
        id={props.id}
        checked={props.isOn}
        onChange={(event) => props.set(event.currentTarget.checked)}
      />{' '}
      {props.label}
    </label>
    <Show when={props.isOn}>{props.children}</Show>
  </div>
);

/** What the dialog is set to. */
const useChoice = () => {
  const app = useApp();
  const [own, setOwn] = createSignal<readonly Aspect[]>(['prompt']);
  const [prompt, setPrompt] = createSignal('');
  const [model, setModel] = createSignal('');
  const [edits, setEdits] = createSignal<'copy' | 'none'>('none');
  const hasIds = (): boolean => app.session.store.state?.ids !== undefined;
  const begin = (): void => {
    const state = app.session.store.state;
    if (!state) return;
    setPrompt(state.ids ? writeIds(state.ids) : state.prompt);
    setModel(state.model);
  };
  /** The run beside; undefined where what is written is no prompt. */
  const beside = (): BesideState | undefined => {
    const state = app.session.store.state;
    if (!state || own().length === 0) return undefined;
    const read = hasIds() ? readIds(prompt(), undefined) : undefined;
    if (own().includes('prompt') && (prompt().trim() === '' || (read && !('ids' in read)))) return undefined;
    const copied = besideFrom(state, own());
    const prompts = read && 'ids' in read ? { ids: [...read.ids] } : { prompt: prompt() };
    return {
      ...(own().includes('experiment')
        ? { name: copied.name ?? '', edits: edits() === 'copy' ? [...state.edits] : [] }
        : {}),
      ...(own().includes('model') ? { model: model() } : {}),
      ...(own().includes('prompt') ? prompts : {}),
      ...(own().includes('prompt') && state.target !== undefined ? { target: state.target } : {}),
    };
  };
  const toggle = (aspect: Aspect) => (isOn: boolean) =>
    setOwn(isOn ? [...own(), aspect] : own().filter((one) => one !== aspect));
  return { own, toggle, prompt, setPrompt, model, setModel, edits, setEdits, begin, beside };
};

/** Whose experiment is copied, or that there is none. */
const ExperimentOption = (props: { readonly choice: ReturnType<typeof useChoice> }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().beside;
  return (
    <Option
      id="own-experiment"
      label={t().experiment}
      isOn={props.choice.own().includes('experiment')}
      set={props.choice.toggle('experiment')}
    >
      <select
        aria-label={t().experiment}
        value={props.choice.edits()}
        onChange={(event) => props.choice.setEdits(event.currentTarget.value === 'copy' ? 'copy' : 'none')}
      >
        <option value="none">{t().experiments.none}</option>
        <option value="copy">{t().experiments.copy}</option>
      </select>
    </Option>
  );
};

/** Sets up a second run: its own prompt, model or experiment. */
export const BesideDialog = (props: { readonly ref: (open: () => void) => void }): JSX.Element => {
  const app = useApp();
  const choice = useChoice();
  let dialog: HTMLDialogElement | undefined;
  const t = () => app.t().beside;
  props.ref(() => {
    choice.begin();
    app.session.send({ type: 'models' });
    dialog?.showModal();
  });
  const set = (): void => {
    const beside = choice.beside();
    if (!beside) return;
    dialog?.close();
    app.setView({ side: 'a' });
    app.session.change({ beside });
  };
  const models = () => [...new Set([choice.model(), ...app.session.store.models.map((m) => m.model)])];
  return (
    <dialog ref={dialog} id="beside-dialog" aria-label={t().title}>
      <h2>{t().title}</h2>
      <p class="soft">{t().intro}</p>
      <Option id="own-prompt" label={t().prompt} isOn={choice.own().includes('prompt')} set={choice.toggle('prompt')}>
        <textarea
          class="prompt-text"
          aria-label={t().prompt}
          value={choice.prompt()}
          onInput={(event) => choice.setPrompt(event.currentTarget.value)}
        />
      </Option>
      <Option id="own-model" label={t().model} isOn={choice.own().includes('model')} set={choice.toggle('model')}>
        <select
          aria-label={t().model}
          value={choice.model()}
          onChange={(event) => choice.setModel(event.currentTarget.value)}
        >
          <For each={models()}>{(model) => <option value={model}>{model}</option>}</For>
        </select>
      </Option>
      <ExperimentOption choice={choice} />
      <p class="dialog-actions">
        <button class="main-action" disabled={choice.beside() === undefined} onClick={set}>
          {t().set}
        </button>
      </p>
    </dialog>
  );
};
