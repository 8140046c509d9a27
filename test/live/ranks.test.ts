import path from 'node:path';
import { afterEach, describe, expect, it, vi, type TestContext } from 'vitest';
import { LiveTarget } from '../../src/service/index.js';
import type { TargetTold } from '../../src/protocol/index.js';
import { pythonOrSkip } from '../support/python.js';
import { root } from '../support/root.js';
import { freePorts, startPython, type LiveProcess } from './process.js';

vi.setConfig({ testTimeout: 180_000 });

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const begun = async (context: TestContext): Promise<LiveProcess> => {
  const python = pythonOrSkip(context, 'torch');
  const port = await freePorts();
  const run = ['-m', 'torch.distributed.run', '--nproc-per-node', '2', '--master-port', String(port + 2)];
  const env = { TEST_PORT: String(port), OMP_NUM_THREADS: '1' };
  const process = await startPython({ python, args: [...run, path.join(root, 'test/python/live/ranks.py')], env });
  ending.push(async () => {
    process.child.kill('SIGTERM'); // torchrun ends its ranks
    await process.ended;
  });
  return process;
};

/** The last pass of a rank that was told of. */
const passesOf = (process: LiveProcess, rank: number): number =>
  process.lines.filter((line) => line.startsWith(`rank ${rank} pass`)).length;

describe('two ranks under torchrun', () => {
  it('are stopped at the same call, looked at, gathered, and go on; also when the debugger is gone', async (context) => {
    const process = await begun(context);
    const target = await LiveTarget.open({ ...process, ranks: 2 });
    const told: string[] = [];
    const onTold = (t: TargetTold): void => {
      if (t.told === 'log') told.push(t.text);
    };
    const { added } = await target.points({
      add: [
        { label: 'all', sites: 'after h.1.up', steps: [0], hits: '== 3' },
        { label: 'one', sites: 'rank 1 before h.0.down', hits: '== 6' },
      ],
    });
    expect(added).toEqual([{ id: 1 }, { id: 2 }]);
    const places = async (): Promise<string[]> => {
      const { items } = await target.view({ ask: 'scope', scope: 'processes', frame: 'module' });
      return items.map((i) => i.value.replace('  (looked at)', ''));
    };
    expect((await target.resume({ kind: 'continue' }, { onTold })).stop).toMatchObject({
      reason: 'breakpoint',
      point: 1,
    });
    const [first, second] = await places();
    expect(first).toBe('after h.1.up, pass 2, step 0');
    expect(second).toBe(first);

    const own: string[][] = [];
    for (const rank of [0, 1]) {
      await target.apply({ change: 'rank', rank });
      const { bytes, shape } = await target.view({ ask: 'bytes', ref: 'weight:h.0.up.weight', offset: 0, count: 1000 });
      expect(shape).toEqual([4, 6]);
      own.push([...new Float32Array((bytes ?? new Uint8Array()).slice().buffer)].map(String));
    }
    expect(own[0]).not.toEqual(own[1]);
    const whole = await target.view({ ask: 'bytes', ref: 'gathered:h.0.up.weight', offset: 0, count: 1000 });
    expect(whole.shape).toEqual([8, 6]);
    expect([...new Float32Array((whole.bytes ?? new Uint8Array()).slice().buffer)].map(String)).toEqual(own.flat());
    const columns = await target.view({ ask: 'bytes', ref: 'gathered:h.0.down.weight', offset: 0, count: 1000 });
    expect(columns.shape).toEqual([6, 8]);

    await target.resume({ kind: 'step', by: 'op' }, { onTold });
    expect(await places()).toEqual(Array(2).fill('before h.1.down, pass 2, step 0'));
    await target.resume({ kind: 'step', by: 'layer' }, { onTold });
    expect(new Set(await places()).size).toBe(1);
    expect((await target.resume({ kind: 'continue' }, { onTold })).stop).toMatchObject({
      reason: 'breakpoint',
      point: 2,
    });
    expect(await places()).toEqual(Array(2).fill('before h.0.down, pass 5, step 0'));
    expect(told).toEqual([]);

    const before = [0, 1].map((rank) => passesOf(process, rank));
    await target.dispose(); // both stand: the debugger is gone as if it had been killed
    await process.line(/^rank 0 pass 40 /);
    await process.line(/^rank 1 pass 40 /);
    expect(before.every((n) => n < 10)).toBe(true);
    const sums = [0, 1].map((rank) =>
      process.lines
        .filter((l) => l.startsWith(`rank ${rank} pass`))
        .slice(0, 40)
        .map((l) => l.split(' ').at(-1)),
    );
    expect(sums[0]).toEqual(sums[1]);
  });

  it('go on where the condition of a breakpoint holds in one alone, and the other is told of', async (context) => {
    const process = await begun(context);
    const target = await LiveTarget.open({ ...process, ranks: 2 });
    ending.push(() => target.dispose());
    const told: string[] = [];
    const onTold = (t: TargetTold): void => {
      if (t.told === 'log') told.push(t.text);
    };
    // the ranks' parts differ, so that this holds in one of them only
    await target.points({
      add: [{ label: 'own', sites: 'rank 0 after h.0.up', condition: 'norm(h.0.up) > 0', hits: '== 4' }],
    });
    const { stop } = await target.resume({ kind: 'continue' }, { onTold });
    expect(stop).toMatchObject({ reason: 'breakpoint' });
    const { items } = await target.view({ ask: 'scope', scope: 'processes', frame: 'module' });
    expect(items[0]?.value).toContain('after h.0.up, pass 3');
    expect(items[1]?.value).toMatch(/^(after h\.0\.up, pass 3|runs|\w+ [\w.]+, pass [34])/);
    await target.points({ remove: [1] });
    const passes = passesOf(process, 0);
    const going = target.resume({ kind: 'continue' }, { onTold, signal: AbortSignal.timeout(1500) });
    expect((await going).stop.reason).toBe('pause');
    expect(passesOf(process, 0)).toBeGreaterThan(passes);
  });
});
