import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWeights } from '../../src/formats/index.node.js';
import type { InspectResult } from '../../src/protocol/index.js';
import { scratch, write } from './broken.js';
import { cutaway, gpt2, json, llama, refused, tiny } from './command.js';

const prompt = ['--prompt', 't5 t17 t42'];
const asked = (...args: readonly string[]): Promise<InspectResult> =>
  json<InspectResult>('inspect', gpt2, ...prompt, '--quiet', ...args);
const scalar = ['--grad-of', 'logit("t7") - logit(3)'];

describe('inspect --grad-of', () => {
  it('tells of each site and of its gradient, in the same shape, and what the scalar is', async () => {
    const { sites, gradOf } = await asked('--sites', 'blocks.*.attn.pattern[head=1],embed', ...scalar);
    const names = ['embed', ...[0, 1, 2].map((l) => `blocks.${l}.attn.pattern`)];
    expect(sites.map((s) => s.name)).toEqual([...names, ...names.map((name) => `grad(${name})`)]);
    const shapes = ['1,3,24', ...names.slice(1).map(() => '1,1,3,3')];
    expect(sites.map((s) => s.shape.join())).toEqual([...shapes, ...shapes]);
    for (const site of sites.slice(4)) expect(site).toMatchObject({ nan: 0, inf: 0, dtype: 'float32' });
    expect(gradOf?.expression).toBe(scalar[1]);
    const { next } = await json<{ next: { id: number; logit: number }[] }>('run', gpt2, ...prompt, '--top', '61');
    const logit = (id: number): number => next.find((n) => n.id === id)?.logit ?? NaN;
    expect(Math.abs((gradOf?.value ?? NaN) - (logit(7) - logit(3)))).toBeLessThan(1e-5);
  });

  it('writes values and gradients, also of weights, by their names', async () => {
    const out = path.join(scratch, 'gradients.safetensors');
    const globs = 'transformer.h.1.mlp.c_fc.*,transformer.wte.weight[token=5]';
    const { sites } = await asked('--sites', 'blocks.1.attn.z', ...scalar, '--grad-weights', globs, '--out', out);
    const weights = await openWeights(out);
    expect([...weights.names()].sort()).toEqual(
      [
        'blocks.1.attn.z',
        'grad(blocks.1.attn.z)',
        'grad(weight transformer.h.1.mlp.c_fc.bias)',
        'grad(weight transformer.h.1.mlp.c_fc.weight)',
        'grad(weight transformer.wte.weight)',
      ].sort(),
    );
    const told = sites.find((s) => s.name === 'grad(weight transformer.h.1.mlp.c_fc.weight)');
    expect(told).toMatchObject({ axes: ['in', 'out'], shape: [24, 96] });
    expect(weights.info('grad(weight transformer.wte.weight)').shape).toEqual([1, 24]);
    const gradient = await weights.read('grad(blocks.1.attn.z)');
    expect(Math.max(...gradient.data)).toBe(sites.find((s) => s.name === 'grad(blocks.1.attn.z)')?.max);
    await weights.close();
  });

  it('changes a gradient on its way back', async () => {
    const edit = ['--edit', 'scale grad(blocks.1.resid_post) by 0'];
    const { sites } = await asked('--sites', 'embed', ...scalar, ...edit);
    expect(sites.find((s) => s.name === 'grad(embed)')).toMatchObject({ min: 0, max: 0 });
    const plain = await asked('--sites', 'embed', ...scalar);
    expect(plain.sites.find((s) => s.name === 'grad(embed)')?.max).toBeGreaterThan(0);
  });

  it.each([
    ['exploding', 'nan, exploding 1e6', 'scale grad(blocks.1.attn_out) by 1e12', 'grad(blocks.1.attn_out)'],
    ['vanishing', 'vanishing', 'scale grad(blocks.1.resid_mid) by 1e-20', 'grad(blocks.1.resid_mid)'],
    ['inf', 'inf', 'scale grad(blocks.2.mlp_out) by 3e38', 'grad(blocks.2.mlp_out)'],
  ])('stops at the first place on the way back where a gradient is %s', async (filter, list, edit, site) => {
    const args = ['inspect', gpt2, ...prompt, '--sites', 'logits', '--grad-of', '1e3 * loss', '--grad-catch', list];
    const plain = await cutaway(...args, '--json', '--quiet');
    expect(plain.status).toBe(0);
    expect((JSON.parse(plain.stdout) as InspectResult).gradCaught).toBeNull();
    const caught = await cutaway(...args, '--json', '--quiet', '--edit', edit);
    expect(caught.status).toBe(1);
    expect((JSON.parse(caught.stdout) as InspectResult).gradCaught).toMatchObject({ filter, site });
    expect((await cutaway(...args, '--quiet', '--edit', edit)).stdout).toContain(`first on the way back at ${site}`);
  });

  it('takes a gradient for vanished only where there was one', async () => {
    const list = ['--grad-catch', 'vanishing 1e-6'];
    const { gradCaught } = await asked('--sites', 'embed', '--grad-of', 'norm(blocks.1.resid_pre)', ...list);
    expect(gradCaught).toBeNull(); // the layers behind it have none
  });

  it('gives the same with less memory', async () => {
    const sites = ['--sites', '**', ...scalar];
    expect(await asked(...sites, '--grad-checkpoint')).toEqual(await asked(...sites));
  });

  it('reads a source and a target', async () => {
    const { sites, gradOf } = await json<InspectResult>(
      ...['inspect', tiny('t5-default'), '--ids', '5,17,42', '--target-ids', '3,4', '--quiet'],
      ...['--sites', 'encoder.embed,decoder.blocks.1.cross_attn.pattern', '--grad-of', 'loss'],
    );
    expect(sites.map((s) => s.shape.join())).toEqual(['1,3,24', '1,3,3,3', '1,3,24', '1,3,3,3']);
    expect(sites.slice(2).every((s) => (s.max ?? 0) > 0)).toBe(true);
    expect(gradOf?.value).toBeGreaterThan(0);
  });

  it('answers for each prompt of a file', async () => {
    const file = write('two.jsonl', '"t5 t17"\n{"ids": [1, 2, 3]}\n');
    const results = await json<InspectResult[]>(
      ...['inspect', gpt2, '--prompts', file, '--sites', 'embed', '--grad-of', 'entropy', '--quiet'],
    );
    expect(results.map((r) => r.sites.map((s) => s.shape[1]))).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it('shows people what the scalar is, and the gradients below the values', async () => {
    const { stdout } = await cutaway('inspect', gpt2, ...prompt, '--sites', 'embed', ...scalar, '--quiet');
    const lines = stdout.split('\n').map((line) => line.trim());
    expect(lines[0]).toMatch(/^logit\("t7"\) - logit\(3\) = -?\d/);
    expect(lines.findIndex((l) => l.startsWith('grad(embed)'))).toBe(lines.findIndex((l) => l.startsWith('embed')) + 1);
  });
});

describe('inspect --grad-of refuses', () => {
  const wrong = (code: string, ...args: readonly string[]): Promise<string> =>
    refused(code, 'inspect', gpt2, ...prompt, '--sites', 'embed', ...args);

  it.each([
    ['GRADIENT_UNDEFINED', 'rank("t7")', 'column 1: rank has no gradient'],
    ['GRADIENT_UNDEFINED', 'entropy < 1', 'column 1: what is true or false has no gradient'],
    ['EXPRESSION_SYNTAX', 'logit("t7"', 'column'],
    ['EXPRESSION_INVALID', 'blocks.0.attn.z', 'one number is needed'],
    ['SITE_UNKNOWN', 'norm(blocks.7.attn.z)', 'no site named blocks.7.attn.z'],
    ['SELECTOR_INVALID', 'blocks.0.attn.z[neuron=1]', 'neuron'],
    ['ID_OUT_OF_RANGE', 'logit(61)', 'no token has id 61'],
    ['AMBIGUOUS_TOKEN', 'logit("t7 t8")', 'is 2 tokens'],
  ])('%s: %s', async (code, expression, message) => {
    expect(await wrong(code, '--grad-of', expression)).toContain(message);
  });

  it('weights that are not there, with the nearest', async () => {
    expect(await wrong('WEIGHT_UNKNOWN', ...scalar, '--grad-weights', 'transformer.wte.weigth')).toContain(
      'transformer.wte',
    );
  });

  it('options that need it, or do not go with it', async () => {
    await wrong('OPTION_INVALID', '--grad-weights', '**');
    await wrong('OPTION_INVALID', '--grad-checkpoint');
    await wrong('OPTION_INVALID', ...scalar, '--record', path.join(scratch, 'no.cutrec'));
  });

  it('more memory than allowed, before anything is run', async () => {
    expect(await wrong('MEMORY_LIMIT', ...scalar, '--max-bytes', '1000')).toContain('--grad-checkpoint');
  });

  it('edits of gradients where none is asked for', async () => {
    const edit = ['--edit', 'scale grad(embed) by 0'];
    expect(await wrong('EDIT_INVALID', ...edit)).toContain('--grad-of');
    await refused('EDIT_INVALID', 'run', llama, '--prompt', 't5', ...edit);
    await wrong('EDIT_INVALID', ...scalar, '--edit', 'set grad(blocks.0.attn.result) = zero');
  });
});
