import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { LiveTarget } from '../../src/service/index.js';
import { cutaway, llama } from '../cli/command.js';
import { pythonOrSkip } from '../support/python.js';
import { root } from '../support/root.js';
import { runPython, startPython, startScript } from './process.js';

vi.setConfig({ testTimeout: 180_000 });

const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-live-docs-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The session of docs/live.md: what is typed, and all that it prints. */
const session = (): { readonly typed: readonly string[]; readonly printed: string } => {
  const page = readFileSync(path.join(root, 'docs/live.md'), 'utf8');
  const text = /<!-- session -->\s+```text\n([^]*?)\n```/.exec(page)?.[1] ?? '';
  const lines = text.split('\n');
  return {
    typed: lines.filter((l) => l.startsWith('(cutaway) ')).map((l) => l.slice('(cutaway) '.length)),
    printed: lines.filter((l) => !l.startsWith('(cutaway) ')).join('\n'),
  };
};

describe('docs/live.md', () => {
  it('shows a session as it is', async (context) => {
    const process = await startScript(context, 'serve.py', llama, 'generate');
    try {
      const { typed, printed } = session();
      const script = path.join(scratch, 'session.txt');
      writeFileSync(script, `${[...typed, 'quit'].join('\n')}\n`);
      const run = await cutaway('attach', `127.0.0.1:${process.port}`, '--token', process.token, '-x', script);
      expect(run.status, run.stderr).toBe(0);
      const settled = (text: string): string => text.replaceAll(/\d+\.\d{4,}/g, (n) => Number(n).toFixed(2));
      expect(settled(run.stdout)).toContain(settled(printed));
    } finally {
      await process.end();
    }
  });
});

/** An interpreter with the oldest PyTorch that the agent works with, where there is one. */
const oldestPython = (): string | undefined =>
  [process.env['CUTAWAY_PYTHON_OLDEST'], path.join(root, '.venv/oldest/bin/python')].find(
    (file) => file !== undefined && existsSync(file),
  );

describe('cutaway_agent', () => {
  it('passes its own tests', (context) => {
    const python = pythonOrSkip(context, 'torch');
    const { status, output } = runPython(python, ['-W', 'ignore', '-m', 'unittest', 'discover', '-s', 'tests']);
    expect(output).toMatch(/Ran \d+ tests/);
    expect(status, output).toBe(0);
  });

  it('passes its own tests with the oldest PyTorch', (context) => {
    const python = oldestPython();
    if (python === undefined)
      return context.skip('no PyTorch 1.13: make .venv/oldest with test/python/oldest.txt, or name one in CUTAWAY_PYTHON_OLDEST'); // prettier-ignore
    expect(runPython(python, ['-c', 'import torch; print(torch.__version__)']).output).toMatch(/^1\.13/);
    const { status, output } = runPython(python, ['-W', 'ignore', '-m', 'unittest', 'discover', '-s', 'tests']);
    expect(output).toMatch(/Ran \d+ tests/);
    expect(status, output).toBe(0);
  });

  it('finds the model of a program that is not changed', async (context) => {
    pythonOrSkip(context, 'torch');
    const script = path.join(scratch, 'plain.py');
    writeFileSync(
      script,
      'import torch\nfrom torch import nn\nm = nn.Sequential(nn.Linear(2, 3), nn.ReLU())\nprint("out", tuple(m(torch.ones(1, 2)).shape), flush=True)\nimport cutaway_agent\n[a] = cutaway_agent._agents\nprint("found", type(a.model).__name__)\n',
    );
    const python = pythonOrSkip(context, 'torch');
    const { status, output } = runPython(python, ['-m', 'cutaway_agent', script]);
    expect(output).toMatch(/cutaway attach 127\.0\.0\.1:\d+ --token \w+/);
    expect(output).toContain('out (1, 3)');
    expect(output).toContain('found Sequential');
    expect(status).toBe(0);
    expect(runPython(python, ['-m', 'cutaway_agent', path.join(scratch, 'none.py')]).status).toBe(2);
  });

  it('calls a debugger that listens', async (context) => {
    const python = pythonOrSkip(context, 'torch');
    const script = path.join(scratch, 'calls.py');
    const body = [
      'import sys, time, torch, cutaway_agent',
      'm = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())',
      'print("listening 0", flush=True)',
      'for i in range(600):',
      '    try:',
      '        a = cutaway_agent.connect(m, sys.argv[1], token="secret", wait=True, rank=3)',
      '        break',
      '    except cutaway_agent.Problem as e:',
      '        assert e.code == "AGENT_UNREACHABLE"',
      '        time.sleep(0.1)',
      'm(torch.ones(1, 2))',
    ];
    writeFileSync(script, body.join('\n'));
    const port = 18_000 + (process.pid % 2000);
    const child = await startPython({ python, args: [script, `127.0.0.1:${port}`] });
    try {
      const given = { host: '127.0.0.1', port, token: 'secret', ranks: 1, listen: true };
      const target = await LiveTarget.open(given);
      await target.points({ add: [{ label: 'x', sites: 'after root.0' }] });
      expect((await target.resume({ kind: 'continue' })).state.place).toBe('after root.0');
      expect(target.ranks.one.number).toBe(3);
      expect((await target.resume({ kind: 'continue' })).stop.reason).toBe('end');
      await target.dispose();
    } finally {
      await child.end();
    }
  });
});
