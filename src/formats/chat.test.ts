import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../base/index.js';
import { renderChatInTime } from './chat.node.js';
import { namedTokens, parseChat, renderChat, templateIn } from './chat.js';

interface Golden {
  readonly tokens: Readonly<Record<string, string>>;
  readonly templates: Readonly<Record<string, string>>;
  readonly chats: Readonly<Record<string, JsonObject>>;
  readonly cases: readonly { template: string; chat: string; text?: string; error?: string }[];
}

const golden = JSON.parse(readFileSync('test/golden/chat/golden.json', 'utf8')) as Golden;
const rendered = (template: string, chat: string): string =>
  renderChat(
    { source: golden.templates[template] ?? '', tokens: golden.tokens },
    parseChat(JSON.stringify(golden.chats[chat])),
  );

describe('chat templates', () => {
  it.each(golden.cases.filter((c) => c.text !== undefined))('write as transformers: $template, $chat', (c) => {
    expect(rendered(c.template, c.chat)).toBe(c.text);
  });

  it.each(golden.cases.filter((c) => c.error !== undefined))('refuse as transformers: $template, $chat', (c) => {
    expect(() => rendered(c.template, c.chat)).toThrow("the model's chat template refuses this chat");
  });

  it('are stopped where they do not come to an end', () => {
    const inner = '{% for a in range(90000) %}'.repeat(3) + 'x' + '{% endfor %}'.repeat(3);
    const endless = { source: inner, tokens: {} };
    expect(() => renderChatInTime(endless, parseChat('[{"role": "user", "content": ""}]'))).toThrow('come to an end');
    expect(() =>
      renderChat({ source: '{% for a in range(1000000000) %}x{% endfor %}', tokens: {} }, parseChat('[{"role":"u"}]')),
    ).toThrow('refuses');
  }, 20_000);

  it('that are damaged are told as such', () => {
    expect(() => renderChat({ source: '{% for', tokens: {} }, parseChat('[{"role":"u"}]'))).toThrow('cannot be read');
  });

  it('come from a text or a list of named ones', () => {
    expect(templateIn({ chat_template: 'a' })).toBe('a');
    expect(
      templateIn({
        chat_template: [
          { name: 'tool_use', template: 'b' },
          { name: 'default', template: 'c' },
        ],
      }),
    ).toBe('c');
    expect(templateIn({})).toBeUndefined();
    expect(namedTokens({ bos_token: { content: '<s>' }, eos_token: '</s>', added_tokens: [], x: 'y' })).toEqual({
      bos_token: '<s>',
      eos_token: '</s>',
    });
  });
});

describe('a chat file', () => {
  it.each(['', '{}', '[]', '[1]', '[{"content":"x"}]', '{"messages":{}}'])('that is no chat is refused: %s', (text) => {
    expect(() => parseChat(text)).toThrow(/chat/);
  });
});
