import { createEffect, createSignal, For, Index, on, Show, type JSX } from 'solid-js';
import type { ChatMessage, PlacedToken } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { piecesOf } from './chat-pieces.js';
import { TextField } from './text-field.jsx';

const roles = ['system', 'user', 'assistant', 'tool'];

interface MessageProps {
  readonly message: ChatMessage;
  readonly number: number;
  readonly change: (change: Partial<ChatMessage>) => void;
  readonly remove: () => void;
}

const Message = (props: MessageProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().ways;
  const offered = (): readonly string[] => [...new Set([...roles, props.message.role])];
  return (
    <li class="message">
      <select
        aria-label={t().role(props.number)}
        value={props.message.role}
        onChange={(event) => props.change({ role: event.currentTarget.value })}
      >
        <For each={offered()}>{(role) => <option value={role}>{role}</option>}</For>
      </select>
      <TextField
        label={t().content(props.number)}
        placeholder={t().content(props.number)}
        value={props.message.content}
        change={(content) => props.change({ content })}
      />
      <button class="plain" aria-label={t().removeMessage(props.number)} onClick={() => props.remove()}>
        ×
      </button>
    </li>
  );
};

interface Rendered {
  readonly text: string;
  readonly tokens: readonly PlacedToken[];
}

/** The conversation as the template writes it, and what it refuses. */
const useRendered = () => {
  const app = useApp();
  const [rendered, setRendered] = createSignal<Rendered>();
  const reads = makeLatest(
    async ({ model, messages }: { readonly model: string; readonly messages: ChatMessage[] }, signal: AbortSignal) => {
      const [found] = (await app.session.client()?.request('tokenize', { model, messages }, { signal })) ?? [];
      setRendered(found);
    },
    () => setRendered(undefined), // the run's own error tells why
    { supersede: 'stop' },
  );
  createEffect(
    on([() => app.state()?.model, () => JSON.stringify(app.state()?.chat)], ([model]) => {
      const messages = app.state()?.chat;
      if (model !== undefined && messages?.length) reads.ask({ model, messages: messages.map((m) => ({ ...m })) });
    }),
  );
  return rendered;
};

/** A conversation: its messages, and the text that the model's own template makes of them. */
export const ChatField = (props: { readonly gesture: () => string }): JSX.Element => {
  const app = useApp();
  const rendered = useRendered();
  const messages = (): readonly ChatMessage[] => app.state()?.chat ?? [];
  const set = (next: readonly ChatMessage[], gesture?: string): void =>
    app.change({ chat: next.map((m) => ({ ...m })) }, gesture);
  const next = (): string => (messages().at(-1)?.role === 'user' ? 'assistant' : 'user');
  return (
    <>
      <ol class="messages" id="chat">
        <Index each={messages()}>
          {(message, i) => (
            <Message
              message={message()}
              number={i + 1}
              change={(change) =>
                set(
                  messages().map((m, at) => (at === i ? { ...m, ...change } : m)),
                  'content' in change ? `${props.gesture()} ${i}` : undefined,
                )
              }
              remove={() => set(messages().filter((_, at) => at !== i))}
            />
          )}
        </Index>
      </ol>
      <button class="plain small" onClick={() => set([...messages(), { role: next(), content: '' }])}>
        + {app.t().ways.addMessage}
      </button>
      <Show when={rendered()}>
        {(of) => (
          <details class="rendered" open>
            <summary class="soft small">{app.t().ways.rendered}</summary>
            <pre id="rendered">
              <For each={piecesOf(of().text, of().tokens)}>
                {(piece) => <span classList={{ special: piece.isSpecial }}>{piece.text}</span>}
              </For>
            </pre>
          </details>
        )}
      </Show>
    </>
  );
};
