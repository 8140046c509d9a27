import { For, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { visible } from '../../look/token-text.js';

/** Goes to the step that is fed a token; for those of the prompt that is the prefill. */
const goTo = async (app: App, token: number): Promise<void> => {
  const { places } = await app.debugging.look({ ask: 'places', source: 'transcript', line: token + 1 });
  const [place] = places;
  if (place) app.debugging.move({ kind: 'goto', position: place.position });
};

/** The prompt and what was made so far. A click goes to the token's step. */
export const Transcript = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const length = () => app.debugging.about()?.prompt.length ?? 0;
  /** Tokens that the step where the run stands is fed: all of the prompt, or one. */
  const isFed = (i: number): boolean => {
    const step = app.debugging.view().state?.position.step ?? 0;
    return step === 0 ? i < length() : i === length() + step - 1;
  };
  return (
    <div class="transcript mono" id="transcript">
      <For each={app.debugging.tokens()}>
        {(token, i) => (
          <button
            class="chip"
            classList={{ made: i() >= length(), fed: isFed(i()) }}
            aria-label={t().goToToken(i(), visible(token.text))}
            aria-current={isFed(i()) ? 'step' : undefined}
            onClick={() => void goTo(app, i()).catch(() => undefined)} // the run ended meanwhile
          >
            {visible(token.text)}
          </button>
        )}
      </For>
      <Show when={app.debugging.tokens().length === 0}>
        <span class="soft small">{t().phases.off}</span>
      </Show>
    </div>
  );
};
