import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TargetState } from '../../src/protocol/index.js';
import {
  KeptTarget,
  keptSessions,
  lastSession,
  sessionIn,
  type KeptTargetOptions,
} from '../../src/service/host/index.js';
import { cutaway, finish, llama, refused, startIn } from '../cli/command.js';
import { startClient, type Started } from '../dap/process-client.js';
import { asked, ids, made } from './targets.js';

let home = '';
let before: string | undefined;
beforeEach(() => {
  before = process.env['XDG_STATE_HOME'];
  home = mkdtempSync(path.join(tmpdir(), 'cutaway-kept-'));
  process.env['XDG_STATE_HOME'] = home;
});
afterEach(() => {
  process.env['XDG_STATE_HOME'] = before;
  rmSync(home, { recursive: true, force: true });
});

const folder = (): string => path.join(home, 'cutaway', 'sessions');
const files = (): readonly string[] => (existsSync(folder()) ? readdirSync(folder()) : []);
const prompt = ['--ids', ids.join(','), '--max-new-tokens', String(made), '--ignore-eos'];

/** Writes lines to a debugger, and waits until it has printed something. */
const say = (child: ChildProcess, lines: readonly string[], until: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(until)) resolve(stripVTControlCharacters(text));
    });
    child.on('close', () => reject(new Error(text)));
    child.stdin?.write(lines.join('\n') + '\n');
  });

/** Ends a process as a crash does. */
const kill = async (child: ChildProcess): Promise<void> => {
  const closed = finish(child);
  child.kill('SIGKILL');
  await closed;
};

/** A session of some commands, and what it printed. */
const session = async (lines: readonly string[], ...args: readonly string[]) => {
  const script = path.join(home, 'commands.txt');
  writeFileSync(script, [...lines, 'quit'].join('\n'));
  const { status, stdout, stderr } = await cutaway('debug', ...args, '-x', script);
  expect(status).toBe(0);
  return { stderr, stdout: stripVTControlCharacters(stdout) };
};

describe('a terminal debugger that is killed', () => {
  const lines = [
    ...['break layer 1', 'tbreak layer 0', 'break blocks.*.resid_post if layer == 2', 'delete 1', 'catch nan', 'c'],
    ...['ignore 3 2', 'display step', 'display layer', 'undisplay 1'],
    ...['token', 'layer 2', 'scale blocks.1.mlp_out by 0.5', 'skip layer 0', 'undo', 'drop head 2.1', 'words 3'],
    ...['c', 'c', 'c', 'c', 'print 40 + 2.5'],
  ];

  it('can be brought back: changes where they were made, undo, breakpoints, prompt', async () => {
    const child = startIn({ XDG_STATE_HOME: home }, 'debug', llama, ...prompt, '--temperature', '0.7');
    const told = await say(child, lines, '42.5');
    await kill(child);
    expect(files()).toHaveLength(1);
    const text = told.match(/end of step 3: .*/)?.[0] ?? 'nothing';

    const { stdout, stderr } = await session(
      ['restore', 'restore 1', 'info b', 'info display', 'where', 'c', 'c', 'c', 'c', 'undo', 'undo', 'info edits'],
      ...[llama, '--ids', '1'],
    );
    expect(stderr).toMatch(/^note: a session of this model ended abnormally .*4 changes, 1 breakpoint/);
    expect(stdout).toMatch(/1 {2}\S+ \S+ UTC, "t5t42t9t31": 4 changes, 1 breakpoint, ended abnormally/);
    expect(stdout).toContain('restored, with\n  temperature 0.7\n  scale blocks.1.mlp_out by 0.5\n  drop head 2.1\n');
    expect(stdout).toContain('3  blocks.*.resid_post if layer == 2  passed 2 times more\ncatch nan\n1  layer\n');
    expect(stdout).toMatch(/^#\d {2}step 1 of 5 tokens/m);
    expect(stdout).toContain(text);
    expect(stdout.trim().split('\n').slice(-3)).toEqual(['undone', 'undone', '1  temperature 0.7']);
  }, 120_000);

  it('is brought back by the command line too, and once', async () => {
    const child = startIn({ XDG_STATE_HOME: home }, 'debug', llama, ...prompt);
    await say(child, ['layer 2', 'set blocks.1.mlp_out = zero', 'print 40 + 2.5'], '42.5');
    await kill(child);
    const { stdout } = await session(['info edits', 'where'], llama, '--restore');
    expect(stdout).toMatch(/1 {2}set blocks\.1\.mlp_out = zero\n[^]*step 0|prefill of 4 tokens/);
    expect(files()).toEqual([]); // a script ended as it should
    await refused('FILE_UNREADABLE', 'debug', llama, '--restore');
    await refused('OPTION_INVALID', 'debug', llama, '--ids', '5', '--restore');
    await refused('FILE_UNREADABLE', 'debug', '--restore', path.join(home, 'nowhere'));
  }, 120_000);
});

describe('an editor whose adapter is killed', () => {
  const begin = async ({ client }: Started, more: object = {}): Promise<void> => {
    await client.ask('initialize', { adapterID: 'kept' });
    await client.ask('launch', { model: llama, ids, maxNewTokens: made, stopOnEntry: true, stopOnExit: true, ...more });
    await client.event('initialized');
  };

  it('brings it back where launch says restore, and tells of breakpoints that it has not set', async () => {
    const first = startClient({ XDG_STATE_HOME: home });
    await begin(first);
    await first.client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.1.attn.z' }] });
    await first.client.ask('configurationDone');
    await first.client.event('stopped');
    await first.client.until('continue');
    await first.client.ask('setExpression', { expression: 'blocks.1.attn.z', value: '*0.5' });
    const { result: expected } = await first.client.ask('evaluate', { expression: 'norm(blocks.1.attn_out)' });
    await kill(first.child);

    const hinted = startClient({ XDG_STATE_HOME: home });
    await begin(hinted);
    expect(hinted.client.output('console')).toMatch(/ended abnormally .*1 change, 1 breakpoint.*"restore": true/);
    await hinted.client.ask('disconnect');
    await hinted.ended;

    const second = startClient({ XDG_STATE_HOME: home });
    await begin(second, { restore: true, ids: [1] });
    expect(second.client.output('console')).toMatch(/restored the session of .*1 change, 1 breakpoint/);
    await second.client.ask('configurationDone');
    expect((await second.client.event('breakpoint')).body).toMatchObject({
      ...{ reason: 'new', breakpoint: { verified: true } },
    });
    await second.client.event('stopped');
    expect((await second.client.ask('evaluate', { expression: 'edits', context: 'repl' }))['result']).toBe(
      'scale blocks.1.attn.z by 0.5 at step 0',
    );
    expect((await second.client.ask('evaluate', { expression: 'norm(blocks.1.attn_out)' }))['result']).toBe(expected);
    await second.client.until('restartFrame', { frameId: 5 });
    expect((await second.client.until('continue'))['reason']).toBe('function breakpoint');
    expect(second.client.problems()).toEqual([]);
    await second.client.ask('disconnect');
    await second.ended;
    expect(second.client.output('console')).toContain('changes were not saved');
    expect((await keptSessions(llama)).map((s) => s.ended)).toEqual([true]);
  }, 180_000);

  it('ends in order where it is only interrupted, as nvim-dap does once disconnect is sent', async () => {
    const { client, child, ended } = startClient({ XDG_STATE_HOME: home });
    await begin({ client, child, ended });
    await client.ask('configurationDone');
    await client.event('stopped');
    await client.ask('setExpression', { expression: 'embed', value: '*0.5' });
    expect((await keptSessions(llama)).map((s) => s.ended)).toEqual([]); // open
    child.kill('SIGINT');
    expect((await ended).status).toBe(0);
    expect((await keptSessions(llama)).map((s) => s.ended)).toEqual([true]);
  }, 180_000);
});

describe('what is kept', () => {
  const notes: string[] = [];
  const options: KeptTargetOptions = { face: 'terminal', note: (text) => notes.push(text) };
  beforeEach(() => void notes.splice(0));

  const begun = async (more: Partial<KeptTargetOptions> = {}, given: object = {}): Promise<KeptTarget> => {
    const target = await KeptTarget.open(asked(given), { ...options, ...more });
    await target.apply({ change: 'edit', text: 'drop head 0.1' });
    return target;
  };

  it('begins with the first thing that is made, for the user alone', async () => {
    const target = await KeptTarget.open(asked(), options);
    await target.points({ caught: [] });
    await target.resume({ kind: 'step', by: 'token' });
    expect(files()).toEqual([]);
    await target.points({ add: [{ label: 'x', layers: [1] }] });
    const file = path.join(folder(), files()[0] ?? '');
    expect([statSync(file).mode & 0o777, statSync(folder()).mode & 0o777]).toEqual([0o600, 0o700]);
    await expect(sessionIn(file)).rejects.toThrow('still open');
    await target.dispose();
    expect(existsSync(path.join(home, 'cutaway'))).toBe(false);
    expect(notes).toEqual([]);
  });

  it('is nothing where that is asked for, or where texts are to be left out', async () => {
    for (const target of [await begun({ isPrivate: true }), await begun({}, { redact: true })]) {
      expect(files()).toEqual([]);
      await target.dispose();
    }
  });

  it('stays at the end where changes were not saved, and not where they were', async () => {
    const saved = await begun({ keepsUnsaved: true });
    saved.saved();
    await saved.dispose();
    const undone = await begun({ keepsUnsaved: true });
    await undone.apply({ change: 'undo' });
    await undone.dispose();
    expect([files(), notes]).toEqual([[], []]);
    await (await begun({ keepsUnsaved: true })).dispose();
    expect(notes).toEqual([expect.stringContaining('not saved')]);
    expect((await lastSession(llama)).ended).toBe(true);
  });

  it('is bounded: the oldest goes', async () => {
    for (let n = 0; n < 22; n++) {
      const file = path.join(folder(), `${n}.journal`);
      if (n === 0) await (await begun({ keepsUnsaved: true })).dispose();
      const [first = ''] = files();
      const text = readFileSync(path.join(folder(), first), 'utf8');
      const date = `2020-01-${String(n + 1).padStart(2, '0')}T00:00:00.000Z`;
      writeFileSync(file, text.replace(/"date":"[^"]*"/, `"date":"${date}"`));
    }
    const target = await begun();
    expect(files()).toHaveLength(20);
    expect(files()).not.toContain('0.journal');
    expect(files()).toContain('21.journal');
    await target.dispose();
  });

  it('costs nobody the session where it cannot be written', async () => {
    writeFileSync(path.join(home, 'cutaway'), 'no folder');
    const target = await begun();
    expect(notes).toEqual([expect.stringContaining('kept on the disk no more')]);
    await target.apply({ change: 'edit', text: 'drop head 0.2' });
    expect(target.state.edits).toHaveLength(2);
    expect(notes).toHaveLength(1);
    await target.dispose();
  });

  it('is left alone where it cannot be brought back as a whole', async () => {
    const target = await begun({ keepsUnsaved: true });
    await target.dispose();
    const { file } = await lastSession(llama);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('drop head 0.1', 'drop head 9.1'));
    const again = await KeptTarget.reopen(await sessionIn(file), options);
    expect(notes.join('\n')).toMatch(
      /a change could not be made again: .*\n1 change is left out; .* still has them all/,
    );
    expect(again.state.edits).toEqual([]);
    await again.dispose();
    expect(existsSync(file)).toBe(true);
  });

  it('is brought back after the host died, too', async () => {
    const target = await begun({ keepsUnsaved: true });
    process.kill(target.pid ?? 0, 'SIGKILL');
    await target.view({ ask: 'points' }).catch(() => undefined);
    await target.apply({ change: 'restart' });
    await target.apply({ change: 'edit', text: 'drop head 0.2' });
    const { edits }: TargetState = target.state;
    await target.dispose();
    const again = await KeptTarget.reopen(await lastSession(llama), options);
    expect(again.state.edits).toEqual(edits);
    await again.dispose();
  });
});
