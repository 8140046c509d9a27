import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import type { RunResult } from '../../src/protocol/index.js';
import { finish, json } from '../cli/command.js';
import { root } from '../support/root.js';
import { adapter, configurationOf, world } from './editor.js';

/** With CI=true, too, this may be skipped: dap-mode is no npm package. Where an Emacs is named, nothing is skipped. */
const emacsOrSkip = (context: TestContext): string =>
  process.env['CUTAWAY_EMACS'] ?? context.skip('no Emacs: name one that has dap-mode 0.7 in CUTAWAY_EMACS');

interface Place {
  readonly buffer: string;
  readonly text: string;
  readonly frames: readonly string[];
}

const edit = 'scale blocks.2.mlp_out by 0';

const act = async (emacs: string): Promise<Readonly<Record<string, unknown>>> => {
  const home = mkdtempSync(path.join(tmpdir(), 'cutaway-emacs-'));
  const command = [adapter.command, ...adapter.args].map((word) => JSON.stringify(word)).join(' ');
  const configuration = configurationOf('elisp').replace('"cutaway" "dap"', command);
  const settings = path.join(home, 'scenario.json');
  const asked = { template: 'the model', line: 'attn.pattern = ', condition: 'layer == 2 && step == 1', edit };
  writeFileSync(settings, JSON.stringify({ ...asked, configuration, home, patience: 60 }));
  const child = spawn(emacs, ['--batch', '-l', path.join(root, 'test/dap/emacs/scenario.el')], {
    cwd: root,
    env: { ...process.env, HOME: home, CUTAWAY_SCENARIO: settings },
  });
  const { status, stdout, stderr } = await finish(child);
  rmSync(home, { recursive: true });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const lines = stdout.trim().split('\n');
  return Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Readonly<Record<string, unknown>>;
};

const generated = async (...edits: readonly string[]): Promise<string> => {
  const { generated: made } = await json<RunResult>(
    ...['run', world, '--prompt', 'Once upon', '--max-new-tokens', '20', '--quiet', ...edits],
  );
  return made.text;
};

it('Emacs, with dap-mode, stops in a model, steps, steps back, changes, goes on', async (context) => {
  const seen = await act(emacsOrSkip(context));
  const place = (name: string): Place => seen[name] as Place;
  expect(place('entry')).toMatchObject({ buffer: 'world.listing', text: expect.stringMatching(/^embed = /) as string });
  expect(place('stop').text).toMatch(/^attn\.pattern = Softmax/);
  expect(place('stop').frames.slice(2, 4)).toEqual(['blocks.2', expect.stringMatching(/^step 1, /)]);
  expect(place('stepped').text).not.toBe(place('stop').text);
  expect(place('back')).toEqual(place('stop'));
  expect(seen['said']).toBe(`changed: ${edit}`);
  const changed = await generated('--edit', `${edit} from step 1`);
  expect((seen['output'] as string).startsWith(changed)).toBe(true);
  expect(changed).not.toBe(await generated());
}, 300_000);
