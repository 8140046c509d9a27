import { describe, expect, it, vi, type TestContext } from 'vitest';
import type { DiffResult } from '../../src/protocol/index.js';
import { cutaway, llama } from '../cli/command.js';
import { startScript } from './process.js';

vi.setConfig({ testTimeout: 180_000 });

const prompt = ['--ids', '5,42,9,9,31,0,58,23'];

/** The comparison with a process in which a mistake was made. */
const compared = async (
  context: TestContext,
  mistake: string,
  sides: (live: string) => readonly [string, string],
): Promise<{ status: number | null; result: DiffResult }> => {
  const process = await startScript(context, 'wrong.py', llama, mistake);
  try {
    const [a, b] = sides(`127.0.0.1:${process.port}`);
    const run = await cutaway('diff', a, b, ...prompt, '--token', 'secret', '--json', '--quiet');
    expect(run.stdout, run.stderr).not.toBe('');
    return { status: run.status, result: JSON.parse(run.stdout) as DiffResult };
  } finally {
    await process.end();
  }
};

describe('diff with a live process', () => {
  it('finds no difference beyond noise where there is none, and says what a process lacks', async (context) => {
    const { status, result } = await compared(context, 'none', (live) => [llama, live]);
    expect(status).toBe(0);
    expect(result).toMatchObject({ agree: true, findings: [], b: { kind: 'live', dtype: 'float32' } });
    expect(result.sites.length).toBeGreaterThan(40);
    expect(Math.max(...result.sites.map((s) => s.relative ?? Infinity))).toBeLessThan(1e-5);
    expect(result.onlyA).toContain('blocks.0.attn.scores');
    expect(result.notes.join('\n')).toContain('attn.scores');
    expect(result.config).toEqual([]);
  });

  for (const [mistake, site, says] of [
    ['swap', 'blocks.1.mlp.pre', 'swapped'],
    ['norm', 'blocks.0.ln1.normalized', 'epsilon is 0.001'],
    ['scale', 'blocks.0.attn.pattern', 'applied twice'],
  ] as const)
    it(`finds the mistake ${mistake} at ${site}`, async (context) => {
      const { status, result } = await compared(context, mistake, (live) => [llama, live]);
      expect(status).toBe(1);
      expect(result.findings[0]?.site).toBe(site);
      expect(result.findings[0]?.explanations.map((e) => e.says).join('\n')).toContain(says);
    });

  it('takes the process first too, and two processes', async (context) => {
    const turned = await compared(context, 'none', (live) => [live, llama]);
    expect(turned.result).toMatchObject({ agree: true, a: { kind: 'model' }, b: { kind: 'live' } });
    const right = await startScript(context, 'wrong.py', llama, 'none');
    try {
      const { status, result } = await compared(context, 'scale', (live) => [`127.0.0.1:${right.port}`, live]);
      expect(status).toBe(1);
      expect(result.findings[0]?.site).toBe('blocks.0.attn.pattern');
      expect(result).toMatchObject({ a: { kind: 'live' }, b: { kind: 'live' } });
    } finally {
      await right.end();
    }
  });
});
