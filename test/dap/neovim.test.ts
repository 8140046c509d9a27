import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, it, type TestContext } from 'vitest';
import { finish } from '../cli/command.js';
import { root } from '../support/root.js';
import { adapter, configurationOf } from './editor.js';
import { edit, generated, scene } from './neovim/scene.js';
import { sessionsOf, textOf, type Recorded } from './neovim/transcript.js';
import { problemsOf, requestProblemsOf } from './schema.js';

const transcript = path.join(root, 'test/dap/nvim-dap-requests.json');

/**
 * The folder of the plugin. With CI=true, too, this may be skipped: the plugin's licence keeps it out of here, and
 * `nvim-like.test.ts` sends what it sends. Where the folder is named, nothing is skipped.
 */
const pluginOrSkip = (context: TestContext): string => {
  const folder = process.env['CUTAWAY_NVIM_DAP'];
  if (folder === undefined || folder === '')
    return context.skip(
      'no nvim-dap: install neovim 0.7 or later, and name a checkout of its tag 0.10.0 in CUTAWAY_NVIM_DAP',
    );
  expect(existsSync(path.join(folder, 'lua/dap.lua')), `${folder} has no lua/dap.lua`).toBe(true);
  return folder;
};

interface Place {
  readonly buffer: string;
  readonly kind: string;
  readonly line: number;
  readonly text: string;
  readonly frames: readonly string[];
  readonly breakpoints: readonly { readonly line: number; readonly verified: boolean }[];
}

/** Lets neovim act out a script of `neovim/`. @returns the record, and the status that it ended with */
const act = async (
  plugin: string,
  script: string,
  given: object,
): Promise<{ readonly record: readonly Recorded[]; readonly status: number }> => {
  const home = mkdtempSync(path.join(tmpdir(), 'cutaway-neovim-'));
  const [settings, record] = [path.join(home, 'scenario.json'), path.join(home, 'record.jsonl')];
  writeFileSync(settings, JSON.stringify({ ...given, ...adapter, record, patience: 60_000 }));
  const folders = { XDG_STATE_HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const file = path.join(root, 'test/dap/neovim', script);
  const child = spawn(
    'nvim',
    ['--headless', '-u', 'NONE', '-i', 'NONE', '--cmd', `set rtp+=${plugin}`, '-c', `luafile ${file}`],
    { cwd: root, env: { ...process.env, ...folders, LANG: 'en_US.UTF-8', CUTAWAY_SCENARIO: settings } },
  );
  const { status } = await finish(child);
  const lines = readFileSync(record, 'utf8').trim().split('\n');
  rmSync(home, { recursive: true });
  return { record: lines.map((line) => JSON.parse(line) as Recorded), status };
};

const seenIn = (record: readonly Recorded[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(record.flatMap(({ seen: name, value }) => (name === undefined ? [] : [[name, value]])));

/** What the protocol does not allow, of each session's messages. */
const problems = (record: readonly Recorded[]): readonly string[] => {
  let session: DebugProtocol.ProtocolMessage[] = [];
  return record.flatMap(({ sent, received }) => {
    if (sent?.command === 'initialize') session = [];
    if (sent) session.push(sent as never);
    if (sent) return requestProblemsOf(sent as never);
    return received ? problemsOf(received as never, session) : [];
  });
};

it('neovim, with nvim-dap, stops in a model, reads, steps, steps back, changes, goes on', async (context) => {
  const { record, status } = await act(pluginOrSkip(context), 'scenario.lua', scene);
  const seen = seenIn(record);
  const place = (name: string): Place => seen[name] as Place;
  expect({ status, error: seen['error'] }).toEqual({ status: 0 });
  expect(seen).toMatchObject({ warnings: [], statuses: [0, 0, 0, 0] });
  expect(problems(record)).toEqual([]);

  const { line } = place('stop');
  expect(place('entry')).toMatchObject({ buffer: 'llama-grouped.listing', kind: '', breakpoints: [] });
  expect(place('stop')).toMatchObject({
    ...{ buffer: 'llama-grouped.listing', kind: '', breakpoints: [{ line, verified: true }] },
    text: expect.stringMatching(/^ +attn\.pattern = Softmax\(attn\.scores\) /) as string,
    frames: [
      'attn.pattern = Softmax(attn.scores)',
      'attn',
      'blocks.1',
      expect.stringMatching(/^step 1, /),
      'generation',
    ],
  });
  const scopes = (seen['scopes'] as string[]).map((text) => text.trim());
  const at = scopes.findIndex((text) => text.startsWith('blocks.1.attn.pattern: [1, 4, 1, 5] min'));
  const cells = scopes.slice(at + 5, at + 10).map((text) => /^\[\d\]: (\S+)$/.exec(text)?.[1]);
  expect(cells.reduce((sum, cell) => sum + Number(cell), 0)).toBeCloseTo(1, 4);

  expect(place('stepped').line).toBe(line + 1);
  expect(place('back').line).toBe(line);
  expect(seen['again']).toBe(seen['before']);
  expect(seen['edits']).toBe(edit);
  expect(seen['changed']).toEqual({ stdout: `${await generated(edit)}\n`, console: '' });
  expect(place('same stop')).toEqual(place('stop'));
  expect(seen['unchanged']).toEqual({ stdout: `${await generated()}\n`, console: '' });
  expect(seen['changed']).not.toEqual(seen['unchanged']);

  expect(place('out').frames).toContain('blocks.2');
  expect(seen['transcript']).toMatch(/^"t\d+" {2}\d+$/);
  expect(place('reversed')).toMatchObject({ line, frames: place('stop').frames });
  expect(place('cursor').text).toMatch(/^ +resid_post = Add/);
  expect(seen['logged']).toMatch(/^(layer \d\n)+$/);
  expect(seen['hover']).toMatch(/^\[1, 4, 1, 5\] min /);
  expect(place('elsewhere')).toMatchObject({ line, frames: expect.arrayContaining(['blocks.0']) as string[] });
  expect(place('layer anew').frames.slice(0, 2)).toEqual([expect.any(String), 'ln1']);
  expect(place('anew').frames).toContain('embed');

  expect(place('failed').frames).toContain('blocks.1');
  expect(seen['why']).toMatch(/NaN first arises in blocks\.1: /);

  const told = textOf(sessionsOf(record, scene.launch.model), {
    client: 'nvim-dap 0.10.0 (commit 6a5bba0ddea5) on neovim 0.7.2',
    about: 'what the client sends, and what it waits for; written by neovim.test.ts with UPDATE_GOLDENS=1',
  });
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(transcript, told);
  expect(told).toBe(readFileSync(transcript, 'utf8'));
}, 300_000);

it('neovim understands the configuration of docs/dap.md', async (context) => {
  const plugin = pluginOrSkip(context);
  const { record, status } = await act(plugin, 'configuration.lua', { configuration: configurationOf('lua') });
  const seen = seenIn(record);
  expect({ status, error: seen['error'] }).toEqual({ status: 0 });
  expect(seen).toMatchObject({ warnings: [], statuses: [0], entry: { buffer: 'world.listing' } });
}, 300_000);
