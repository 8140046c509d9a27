import { createSignal, Match, Show, Switch, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { Mistake } from '../../shell/mistake.jsx';
import { Panel } from '../../shell/panel.jsx';
import { ChatField } from './chat-field.jsx';
import { Chips } from './chips.jsx';
import { GoesOn } from './goes-on.jsx';
import { IdsField } from './ids-field.jsx';
import { TextField } from './text-field.jsx';
import { wayOf, Ways } from './ways.jsx';

const isEncoderDecoder = (app: App): boolean =>
  (app.model()?.summary ?? app.results.compare()?.model)?.encoderLayers !== undefined;

/** What an encoder-decoder's decoder begins with, in the way in which the prompt is given. */
const Target = (props: { readonly gesture: () => string }): JSX.Element => {
  const app = useApp();
  const hasIds = () => app.state()?.targetIds !== undefined || app.model()?.reads.tokenizer === false;
  return (
    <Show
      when={hasIds()}
      fallback={
        <TextField
          label={app.t().prompt.target}
          placeholder={app.t().prompt.target}
          value={app.state()?.target ?? ''}
          change={(target) => app.change({ target: target === '' ? null : target }, props.gesture())}
        />
      }
    >
      <IdsField
        id="target-ids"
        label={app.t().ways.targetIds}
        ids={app.state()?.targetIds}
        vocab={app.model()?.summary.vocab}
        change={(ids) => app.change({ targetIds: ids.length === 0 ? null : ids, target: null }, props.gesture())}
      />
    </Show>
  );
};

/** Puts the model's mask at the end of the text. */
const MaskButton = (props: { readonly mask: string }): JSX.Element => {
  const app = useApp();
  const put = (): void => {
    const { prompt = '' } = app.state() ?? {};
    app.change({ prompt: `${prompt}${prompt === '' || /\s$/.test(prompt) ? '' : ' '}${props.mask}` });
  };
  return (
    <button class="plain small" onClick={put} title={app.t().ways.insertMask(props.mask)}>
      + {props.mask}
    </button>
  );
};

const Tools = (): JSX.Element => {
  const app = useApp();
  const mask = () => {
    const reads = app.model()?.reads;
    return reads?.output === 'masks' && wayOf(app) === 'text' ? reads.mask : undefined;
  };
  return (
    <>
      <Show when={mask()}>{(text) => <MaskButton mask={text()} />}</Show>
      <Ways />
      <span class="soft small">{app.t().prompt.tokens(app.results.compare()?.after.tokens.length ?? 0)}</span>
    </>
  );
};

/** Why nothing was run, where nothing else is shown. */
const Refused = (): JSX.Element => {
  const app = useApp();
  const error = () => (app.results.compare() ? undefined : app.results.error());
  return <Mistake of={error()} isAlert />;
};

/** The text that the model reads, and what it goes on to say. */
export const PromptPanel = (): JSX.Element => {
  const app = useApp();
  const [typing, setTyping] = createSignal(0);
  const gesture = (): string => `prompt ${typing()}`;
  return (
    <Panel id="prompt" title={app.t().prompt.title} help={app.t().prompt.help} tools={<Tools />}>
      <div class="prompt-fields" onFocusIn={() => setTyping((n) => n + 1)}>
        <Switch>
          <Match when={wayOf(app) === 'text'}>
            <TextField
              label={isEncoderDecoder(app) ? app.t().ways.source : app.t().prompt.title}
              placeholder={app.t().prompt.placeholder}
              value={app.state()?.prompt ?? ''}
              change={(prompt) => app.change({ prompt }, gesture())}
            />
          </Match>
          <Match when={wayOf(app) === 'ids'}>
            <IdsField
              id="prompt-ids"
              label={app.t().ways.ids}
              ids={app.state()?.ids}
              vocab={app.model()?.summary.vocab}
              change={(ids) => app.change({ ids, chat: null }, gesture())}
            />
          </Match>
          <Match when={wayOf(app) === 'chat'}>
            <ChatField gesture={gesture} />
          </Match>
        </Switch>
        <Show when={isEncoderDecoder(app)}>
          <Target gesture={gesture} />
        </Show>
      </div>
      <Refused />
      <Chips />
      <GoesOn />
    </Panel>
  );
};
