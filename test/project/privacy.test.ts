import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { llama } from '../cli/command.js';
import { root } from '../support/root.js';

let home = '';
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'cutaway-home-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs a command line of a user whose home is empty; what is left there. */
const leftBehind = (...args: readonly string[]): { status: number | null; left: readonly string[] } => {
  const { ORT_DISABLE_TELEMETRY: _, ...environment } = process.env;
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', path.join(root, 'src/cli/main.ts'), ...args], {
    cwd: root,
    env: {
      ...environment,
      HOME: home,
      XDG_CACHE_HOME: path.join(home, 'cache'),
      XDG_STATE_HOME: path.join(home, 'state'),
    },
    input: 'continue\nquit\n',
  });
  const names = readdirSync(home, { recursive: true, encoding: 'utf8' });
  return { status, left: names.filter((name) => !/(^|[/\\])(tsx|node-compile-cache)/.test(name)) };
};

/** onnxruntime's own events are kept in the home, and would be sent from there. */
describe('nothing is kept or sent behind the user’s back', () => {
  it.each([
    ['a run in this process', ['run', llama, '--ids', '5,42']],
    ['a run in a host', ['debug', llama, '--ids', '5,42', '--max-new-tokens', '2']],
  ])('%s leaves no file in the home', (_, args) => {
    expect(leftBehind(...args)).toEqual({ status: 0, left: [] });
  });
});
