/** What `launch` and `attach` can be given, each against `run` with the same. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/protocol/index.js';
import { copyOf, scratch, write } from '../cli/broken.js';
import { json, llama, tiny } from '../cli/command.js';
import { begin, Client } from './client.js';

const clients: Client[] = [];
const opened = async (command: 'launch' | 'attach', given: object): Promise<Client> => {
  const client = new Client();
  clients.push(client);
  await begin(client, command, { given: { stopOnExit: true, ...given } });
  return client;
};
afterEach(async () => {
  for (const client of clients.splice(0)) {
    await client.end();
    expect(client.problems()).toEqual([]);
  }
});

/** What the run printed: the text that was made. */
const said = async (given: object): Promise<string> => (await opened('launch', given)).output('stdout').trim();
const madeBy = async (...args: readonly string[]): Promise<string> =>
  (await json<RunResult>('run', ...args, '--quiet')).generated.text.trim();

/** A model with a chat template, which ends what each says with `t3`. */
const chatting = (): string => {
  const folder = copyOf(llama);
  const source = '{% for m in messages %}{{ m.content }} t3 {% endfor %}';
  writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify({ chat_template: source }));
  return folder;
};

describe('launch', () => {
  const few = ['--max-new-tokens', '4'];

  it('takes a text, token ids, edits and a device', async () => {
    const all = { model: llama, maxNewTokens: 4, device: 'cpu' };
    const plain = await madeBy(llama, '--ids', '5,42,9,31', ...few);
    expect(await said({ ...all, ids: [5, 42, 9, 31] })).toBe(plain);
    expect(await said({ ...all, prompt: 't5 t42 t9 t31' })).toBe(plain);
    const edit = 'drop head 1.0';
    const edited = await madeBy(llama, '--ids', '5,42,9,31', ...few, '--edit', 'skip layer 1', '--edit', edit);
    expect(await said({ ...all, ids: [5, 42, 9, 31], edits: ['skip layer 1', edit] })).toBe(edited);
    expect(edited).not.toBe(plain);
  });

  it('takes the settings of sampling', async () => {
    const sampled = ['--temperature', '1.5', '--top-k', '20', '--top-p', '0.9', '--seed', '7'];
    const settings = { temperature: 1.5, topK: 20, topP: 0.9, seed: 7 };
    expect(await said({ model: llama, ids: [5, 42], maxNewTokens: 4, ...settings })).toBe(
      await madeBy(llama, '--ids', '5,42', ...few, ...sampled),
    );
  });

  it('takes a chat', async () => {
    const [model, chat] = [chatting(), write('dap-chat.json', JSON.stringify([{ role: 'user', content: 't17' }]))];
    expect(await said({ model, chat, maxNewTokens: 4 })).toBe(await madeBy(model, '--chat', chat, ...few));
  });

  it('takes what a decoder begins with', async () => {
    const model = tiny('bart-default');
    const made = await madeBy(model, '--ids', '5,42,9', '--target-ids', '2,7', ...few);
    expect(await said({ model, ids: [5, 42, 9], targetIds: [2, 7], maxNewTokens: 4 })).toBe(made);
  });

  it('records, and the recording is attached to, by itself and on its model', async () => {
    const recording = path.join(scratch, 'dap-launch.cutrec');
    const text = await said({ model: llama, ids: [5, 42, 9, 31], maxNewTokens: 3, record: recording });
    await clients.splice(0)[0]?.end();
    // A recording by itself has the tokens' texts, but no tokenizer that sets blanks between them.
    for (const [more, wanted] of [
      [{}, text.replaceAll(' ', '')],
      [{ model: llama }, text],
    ] as const) {
      const client = await opened('attach', { recording, ...more });
      await client.until('continue');
      expect(client.output('stdout').trim()).toBe(wanted);
    }
  });
});
