import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/protocol/index.js';
import { copyOf, write } from './broken.js';
import { json, llama, refused } from './command.js';

const template = `{% for m in messages %}{{ 't1 ' if m.role == 'user' else 't2 ' }}{{ m.content }} {% endfor %}
{%- if add_generation_prompt %}t3{% endif %}`;

/** A model of the tokens `t0` to `t60` with a chat template, in one of the places for it. */
const chatting = (files: Readonly<Record<string, unknown>>): string => {
  const folder = copyOf(llama);
  for (const [name, content] of Object.entries(files))
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
};

const inConfig = (source: string = template): string =>
  chatting({ 'tokenizer_config.json': { chat_template: source } });
let files = 0;
const chatFile = (content: unknown): string =>
  write(`chat-${files++}.json`, typeof content === 'string' ? content : JSON.stringify(content));
const hello = chatFile([{ role: 'user', content: 't17' }]);
const texts = (result: RunResult): string => result.tokens.map((t) => t.text).join(' ');

describe('--chat', () => {
  it.each([
    ['tokenizer_config.json', { 'tokenizer_config.json': { chat_template: template } }],
    ['chat_template.jinja', { 'chat_template.jinja': template }],
    ['chat_template.json', { 'chat_template.json': { chat_template: template } }],
  ])('is written out by the template in %s', async (_, files) => {
    expect(texts(await json('run', chatting(files), '--chat', hello))).toBe('t1 t17 t3');
  });

  it('goes on from an answer that the model began', async () => {
    const turns = [
      { role: 'user', content: 't17' },
      { role: 'assistant', content: 't20' },
    ];
    expect(texts(await json('run', inConfig(), '--chat', chatFile(turns)))).toBe('t1 t17 t2 t20');
  });

  it('works for inspect, and gives what the written prompt gives', async () => {
    const folder = inConfig();
    const sites = ['--sites', 'logits', '--quiet'];
    const chat = await json('inspect', folder, '--chat', hello, ...sites);
    expect(chat).toEqual(await json('inspect', folder, '--prompt', 't1 t17 t3', ...sites));
  });

  it.each([
    ['a model without a template', llama, hello, 'CHAT_TEMPLATE_MISSING'],
    ['a file that is no chat', inConfig(), chatFile('{"role": "user"}'), 'CHAT_INVALID'],
    ['a file that is no JSON', inConfig(), chatFile('hello'), 'CHAT_INVALID'],
    ['a file that is not there', inConfig(), 'nowhere.json', 'FILE_UNREADABLE'],
    ['what the template refuses', inConfig("{{ raise_exception('no') }}"), hello, 'CHAT_INVALID'],
    ['a damaged template', inConfig('{% for'), hello, 'CHAT_TEMPLATE_INVALID'],
    ['an empty prompt', inConfig("{{ '' }}"), hello, 'PROMPT_EMPTY'],
  ])('%s is refused', async (_, model, file, code) => {
    await refused(code, 'run', model, '--chat', file);
  });

  it('beside a prompt is refused', async () => {
    await refused('OPTION_INVALID', 'run', inConfig(), '--chat', hello, '--prompt', 't1');
  });
});
