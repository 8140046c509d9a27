import { execFileSync, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterEach, describe, expect, it, vi, type TestContext } from 'vitest';
import { start } from '../cli/command.js';
import { pythonOrSkip } from '../support/python.js';
import { root } from '../support/root.js';
import { freePorts, startPython, startScript, type LiveProcess } from './process.js';

vi.setConfig({ testTimeout: 180_000 }); // each starts Python and the command line anew

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** `cutaway attach` as a process of its own, commands typed into it. */
class Terminal {
  #shown = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<NodeJS.Signals | number | null>;

  constructor(process: LiveProcess, ...more: readonly string[]) {
    this.#child = start('attach', `${process.host}:${process.port}`, '--token', process.token, ...more);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => (this.#shown += bytes.toString()));
    this.#ended = new Promise((resolve) => this.#child.on('close', (code, signal) => resolve(signal ?? code)));
    ending.push(() => this.kill());
  }

  /** Types commands, and waits until what is shown from then on fits. @returns that */
  async type(commands: readonly string[], until: RegExp): Promise<string> {
    const from = this.#shown.length;
    this.#child.stdin?.write(`${commands.join('\n')}\n`);
    await vi.waitFor(() => expect(this.#shown.slice(from)).toMatch(until), { timeout: 40_000, interval: 50 });
    return this.#shown.slice(from);
  }

  /** Ends it as a crash would: it can tell the agent nothing. */
  async kill(): Promise<NodeJS.Signals | number | null> {
    this.#child.kill('SIGKILL');
    return this.#ended;
  }
}

/** Where it stands: the line of the breakpoint, of the place, and of the module. */
const stands = /^breakpoint 1\n[^]*→.*\n/m;
const steps = ['--steps', '12', '--hooks'];

/** What train.py prints where nobody ever attached, and no agent is there. */
const undisturbed = (context: TestContext): readonly string[] => {
  const env = { ...process.env, PYTHONPATH: path.join(root, 'python/cutaway_agent') };
  const script = path.join(root, 'test/python/live/train.py');
  const args = [script, '--no-agent', ...steps];
  return execFileSync(pythonOrSkip(context, 'torch'), args, { env, encoding: 'utf8', stdio: 'pipe' })
    .trim()
    .split('\n');
};

describe('a debugger that is killed while the process stands', () => {
  for (const [place, change] of [
    ['before blocks.1 if step == 3', 'set blocks.2 = zero'],
    ['backward blocks.1 if step == 3', 'set grad(blocks.0) = zero'],
    ['optimiser if step == 3', 'scale blocks.0 by 3'],
  ] as const)
    it(`lets it go on from \`break ${place}\` as if it had never been there`, async (context) => {
      const process = await startScript(context, 'train.py', ...steps);
      ending.push(() => process.end());
      const terminal = new Terminal(process);
      await terminal.type([`break ${place}`, 'continue'], stands);
      await terminal.type([change, 'print 6 * 7'], /changed: [^]*\b42\b/); // a change that would come after the place
      const before = process.lines.filter((line) => line.startsWith('step')).length;
      expect(await terminal.kill()).toBe('SIGKILL');
      expect(await process.ended).toBe(0);
      expect(before).toBeLessThanOrEqual(4);
      const plain = undisturbed(context);
      expect(plain.at(-1)).toBe('hooks none');
      // the agent's own stays at the root: it counts passes
      expect(process.lines.slice(1)).toEqual([...plain.slice(0, -1), 'hooks _forward_pre_hooks of root']);
    });

  it('lets both ranks go on where both stand, and the program ends well', async (context) => {
    const python = pythonOrSkip(context, 'torch');
    const port = await freePorts();
    const run = ['-m', 'torch.distributed.run', '--nproc-per-node', '2', '--master-port', String(port + 2)];
    const env = { TEST_PORT: String(port), TEST_PASSES: '12', OMP_NUM_THREADS: '1' };
    const process = await startPython({ python, args: [...run, path.join(root, 'test/python/live/ranks.py')], env });
    ending.push(async () => {
      process.child.kill('SIGTERM'); // torchrun ends its ranks
      await process.ended;
    });
    const terminal = new Terminal(process, '--ranks', '2');
    await terminal.type(['break after h.1.up if step == 0', 'ignore 1 2', 'continue'], stands);
    const shown = await terminal.type(['scale h.1.down by 2', 'info processes', 'print 6 * 7'], /\b42\b/);
    expect(shown.match(/after h\.1\.up, pass 2/g)).toHaveLength(2);
    expect(process.lines.filter((line) => / pass 2 /.test(line))).toEqual([]);
    expect(await terminal.kill()).toBe('SIGKILL');
    expect(await process.ended).toBe(0);
    for (const rank of [0, 1]) {
      const own = process.lines.filter((line) => line.startsWith(`rank ${rank} `));
      const sums = own.filter((line) => line.includes(' pass ')).map((line) => line.split(' ').at(-1));
      expect(sums).toHaveLength(12);
      expect(sums.slice(7)).toEqual(sums.slice(0, 5)); // the same input each 7 passes; 2 was the disturbed one
      expect(own.at(-1)).toBe(`rank ${rank} hooks _forward_pre_hooks of root`);
    }
  });
});
