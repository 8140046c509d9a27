/** Neurons: what they give, the words they promote, and what they are over many prompts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectInput, neuronsInput, type InspectResult, type NeuronsResult } from '../src/protocol/index.js';
import { inspect, neurons } from '../src/service/index.js';
import { tiny } from './cli/command.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const ids = [5, 42, 9, 31, 17, 42];
const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-neurons-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const promptsFile = path.join(folder, 'prompts.jsonl');
const prompts = [
  [5, 42, 9],
  [31, 17, 42, 8],
  [1, 2],
];
writeFileSync(promptsFile, prompts.map((own) => `${JSON.stringify({ ids: own })}\n`).join(''));

const ask = (model: string, rest: object): Promise<NeuronsResult> =>
  neurons.run(neuronsInput.parse({ model: tiny(model), ...rest }), context);

describe.each([
  'gpt2-default',
  'llama-grouped',
  'gemma2-default',
  'gpt-neox-default',
  'phi-default',
  'mixtral-default',
])('%s', (model) => {
  it('gives by a neuron what its activation and its words say', async () => {
    const { neurons: all } = await ask(model, { ids, word: 3, top: 10_000, words: 100 });
    const ratios = new Map<string, number[]>();
    for (const n of all) {
      const unit = n.promotes?.find((w) => w.id === 3)?.value ?? NaN;
      const whole = (n.activation ?? NaN) * unit;
      if (Math.abs(whole) < 0.01) continue;
      const group = `${n.layer} ${n.expert ?? ''}`;
      ratios.set(group, [...(ratios.get(group) ?? []), (n.value ?? NaN) / whole]);
    }
    // 1 over the scale of the final norm, times what a norm or a router stands between: one number a layer or expert
    expect(ratios.size).toBeGreaterThan(1);
    for (const own of ratios.values()) for (const r of own) expect(r / (own[0] ?? NaN)).toBeCloseTo(1, 2);
  });

  it('has as statistics what the values of all prompts are', async () => {
    if (model.startsWith('mixtral')) return; // counted by expert
    const { neurons: all, layers } = await ask(model, { prompts: promptsFile, neurons: ['1.7'], top: 3 });
    const values: number[] = [];
    for (const own of prompts) {
      const sites = 'blocks.1.mlp.post[neuron=7]';
      for (let p = 0; p < own.length; p++) {
        const asked = inspectInput.parse({
          model: tiny(model),
          ids: own,
          sites: `${sites.slice(0, -1)}, position=${p}]`,
        });
        values.push(((await inspect.run(asked, context)) as InspectResult).sites[0]?.mean ?? NaN);
      }
    }
    const [told] = all;
    expect(told?.over?.tokens).toBe(values.length);
    expect(told?.over?.mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 5);
    expect(told?.over?.max).toBeCloseTo(Math.max(...values), 5);
    expect(told?.tokens?.map((t) => t.activation)).toEqual(
      [...(told?.tokens ?? [])].map((t) => t.activation).sort((a, b) => b - a),
    );
    expect(told?.tokens?.[0]?.activation).toBeCloseTo(Math.max(...values), 5);
    expect(layers?.length).toBeGreaterThan(1);
  });
});

describe('neurons', () => {
  it('of a mixture are named by their expert, and those that no token was given are dead', async () => {
    const { layers, neurons: all } = await ask('mixtral-default', { prompts: promptsFile, top: 4 });
    expect(all.every((n) => n.expert !== undefined && n.name.split('.').length === 3)).toBe(true);
    expect(layers?.every((l) => l.dead.length < l.neurons)).toBe(true);
  });

  it('of an encoder are told by activation, and it is said why', async () => {
    const { notes, neurons: all } = await ask('bert-masked', { ids, top: 3 });
    expect(all).toHaveLength(3);
    expect(all.every((n) => n.value === undefined && n.promotes === undefined)).toBe(true);
    expect(notes?.join()).toContain('by activation');
  });

  it.each([{ neurons: ['9.0'] }, { neurons: ['1.99999'] }, { neurons: ['x'] }, { layer: 9 }, { position: 77 }])(
    'that are not there are refused: %j',
    async (rest) => {
      await expect(ask('gpt2-default', { ids, ...rest })).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
    },
  );
});
