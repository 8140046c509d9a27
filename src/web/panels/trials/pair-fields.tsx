import { createEffect, createMemo, createSignal, For, on, Show, type Accessor, type JSX } from 'solid-js';
import type { TokenView } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { visible } from '../../look/token-text.js';
import { runOf } from '../../state/request.js';
import type { TrialSettings } from '../../state/trials.js';
import { alignedTokens, cleanText, corruptOf, corruptText, tokensOfCorrupt, type AlignedToken } from './pair.js';

/** The tokens of the clean prompt: of an encoder-decoder what the encoder reads. */
export const cleanTokens = (app: App): readonly TokenView[] => app.results.compare()?.after.tokens ?? [];

/** What the model finds likeliest, by which words are found. */
export const likeliestOf = (app: App) => {
  const run = app.results.compare()?.after;
  return { likeliest: run?.labels ?? run?.masks?.[0]?.next ?? run?.next ?? [], isLabels: run?.labels !== undefined };
};

export const setTrials = (app: App, change: TrialSettings): void =>
  app.setView({ trials: { ...app.view.trials, ...change } });

/** The other prompt's text, whether it says anything else, and its tokens as they come. */
export const useCorrupt = () => {
  const app = useApp();
  const text = createMemo((): string => {
    const state = app.state();
    return state ? corruptText(state, app.view.trials) : '';
  });
  const isSame = (): boolean => {
    const state = app.state();
    return state === undefined || text() === cleanText(state);
  };
  const [tokens, setTokens] = createSignal<readonly TokenView[]>();
  const reads = makeLatest(
    async (written: string, signal: AbortSignal) => {
      const [client, state] = [app.session.client(), app.state()];
      const run = state && runOf(state);
      if (!client || !run) return;
      const corrupt = await corruptOf(client, run, { text: written, vocab: app.model()?.summary.vocab, signal });
      const read = await tokensOfCorrupt(client, state.model, corrupt);
      if (!signal.aborted) setTokens(read);
    },
    () => setTokens(undefined), // no ids, or a model without a tokenizer: told when it is run
    { supersede: 'stop', quietMs: 150 },
  );
  createEffect(on([text, app.results.shown], () => reads.ask(text())));
  return { text, isSame, tokens };
};

const Token = (props: { readonly of: AlignedToken; readonly at: number }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().trials;
  const texts = (): readonly [string | undefined, string | undefined] => [
    props.of.clean && visible(props.of.clean.text),
    props.of.corrupt && visible(props.of.corrupt.text),
  ];
  const differs = (): boolean => props.of.clean?.id !== props.of.corrupt?.id;
  const told = (): string => {
    const [clean, corrupt] = texts();
    return clean !== undefined && corrupt !== undefined
      ? t().pair(props.at, clean, corrupt)
      : t().alone(clean ?? corrupt ?? '');
  };
  return (
    <li
      classList={{ differs: differs() }}
      title={told()}
      aria-label={told()}
      onPointerEnter={() => app.point(told())}
      onPointerLeave={() => app.point(undefined)}
    >
      <span>{texts()[0] ?? '–'}</span>
      <Show when={differs()}>
        <span class="corrupted">{texts()[1] ?? '–'}</span>
      </Show>
    </li>
  );
};

/** Both prompts as one row of tokens; where they differ, the corrupted one's below. */
const Aligned = (props: { readonly corrupt: readonly TokenView[]; readonly needsEqual: boolean }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().trials;
  const row = createMemo(() => alignedTokens(cleanTokens(app), props.corrupt));
  const lengths = (): readonly [number, number] => [cleanTokens(app).length, props.corrupt.length];
  return (
    <>
      <ol class="pair-tokens" aria-label={t().pairs}>
        <For each={row()}>{(token, i) => <Token of={token} at={i()} />}</For>
      </ol>
      <Show when={lengths()[0] !== lengths()[1]}>
        <p class="small" classList={{ mistake: props.needsEqual }} role="status" id="pair-lengths">
          {props.needsEqual ? t().lengthsRefused(...lengths()) : t().lengths(...lengths())}
        </p>
      </Show>
    </>
  );
};

interface FieldsProps {
  readonly id: string;
  readonly corrupt: ReturnType<typeof useCorrupt>;
  /** Prompts of other lengths are refused. */
  readonly needsEqual: boolean;
}

/** The corrupted prompt, and how its tokens stand beside the clean one's. */
export const CorruptField = (props: FieldsProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().trials;
  const label = (): string => {
    const state = app.state();
    return state?.ids ? t().corruptIds : state?.chat ? t().corruptChat : t().corrupt;
  };
  return (
    <>
      <label class="small soft" for={`${props.id}-corrupt`}>
        {label()}
      </label>
      <textarea
        id={`${props.id}-corrupt`}
        rows="2"
        value={props.corrupt.text()}
        onInput={(event) => setTrials(app, { corrupt: event.currentTarget.value })}
      />
      <Show when={!props.corrupt.isSame() && props.corrupt.tokens()}>
        {(tokens) => <Aligned corrupt={tokens()} needsEqual={props.needsEqual} />}
      </Show>
    </>
  );
};

/** What is measured: a difference of two words' scores, or an expression. */
export const MeasuredFields = (props: { readonly id: string; readonly hasPair: boolean }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().trials;
  const words: Accessor<readonly string[]> = () =>
    likeliestOf(app)
      .likeliest.slice(0, 12)
      .map((token) => token.text);
  const isWritten = (): boolean => (app.view.trials.metric ?? '').trim() !== '';
  const word = (name: 'answer' | 'wrong', label: string, placeholder: string): JSX.Element => (
    <input
      type="text"
      id={`${props.id}-${name}`}
      list={`${props.id}-words`}
      aria-label={label}
      placeholder={placeholder}
      disabled={isWritten()}
      value={app.view.trials[name] ?? ''}
      onChange={(event) => setTrials(app, { [name]: event.currentTarget.value || undefined })}
    />
  );
  return (
    <div class="measured small">
      <datalist id={`${props.id}-words`}>
        <For each={words()}>{(text) => <option value={text} />}</For>
      </datalist>
      <span class="soft">{t().measured}</span>
      {word('answer', t().measured, t().answer)}
      <span class="soft">{t().less}</span>
      {word('wrong', t().less, props.hasPair && !app.view.trials.answer ? t().wrong : t().wrongNone)}
      <span class="soft">{t().or}</span>
      <input
        type="text"
        class="mono"
        id={`${props.id}-metric`}
        aria-label={t().metric}
        placeholder={t().metric}
        value={app.view.trials.metric ?? ''}
        onChange={(event) => setTrials(app, { metric: event.currentTarget.value || undefined })}
      />
    </div>
  );
};
