import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWeights } from '../../src/formats/index.node.js';
import type { InspectResult } from '../../src/protocol/index.js';
import { statistics } from '../../src/tensor/index.js';
import { scratch } from './broken.js';
import { cutaway, gpt2, json, llama } from './command.js';

const prompt = ['--prompt', 't5 t17 t42 t5'];
const inspect = async (model: string, sites: string, ...args: readonly string[]): Promise<InspectResult['sites']> =>
  (await json<InspectResult>('inspect', model, ...prompt, '--sites', sites, '--quiet', ...args)).sites;
const names = async (model: string, sites: string): Promise<string[]> =>
  (await inspect(model, sites)).map((s) => s.name);

/** What `--out` wrote, by name. */
const written = async (file: string) => {
  const weights = await openWeights(file);
  const tensors = await Promise.all(weights.names().map(async (name) => [name, await weights.read(name)] as const));
  const dtypes = weights.names().map((name) => weights.info(name).dtype);
  await weights.close();
  return { tensors: new Map(tensors), dtypes: new Set(dtypes) };
};

describe('inspect --sites', () => {
  it('takes globs and lists; a site asked for twice comes once', async () => {
    expect(await names(gpt2, 'blocks.*.attn.z,logits')).toEqual(
      [0, 1, 2].map((l) => `blocks.${l}.attn.z`).concat('logits'),
    );
    expect(await names(gpt2, 'logits,logits,l*')).toEqual(
      ['ln_final.scale', 'ln_final.normalized', 'logits'].filter((n) => n === 'logits'),
    );
    expect(await names(gpt2, '**.pattern')).toHaveLength(3);
    expect(await names(gpt2, 'blocks.0.**')).toEqual(
      (await names(gpt2, '**')).filter((n) => n.startsWith('blocks.0.')),
    );
  });

  it('makes a site on request only when it is named', async () => {
    expect(await names(llama, '**')).not.toContain('blocks.0.attn.result');
    const [result] = await inspect(llama, 'blocks.0.attn.result');
    expect(result).toMatchObject({ axes: ['batch', 'position', 'head', 'model'], shape: [1, 4, 4, 32] });
  });

  it.each([
    [gpt2, 'hook_embed', 'embed'],
    [gpt2, 'transformer.h.0', 'blocks.0.resid_post'],
    [gpt2, 'blocks.0.attn.hook_pattern', 'blocks.0.attn.pattern'],
    [llama, 'model.layers.1.self_attn.o_proj', 'blocks.1.attn_out'],
    [llama, 'blocks.1.ln1.hook_normalized', 'blocks.1.ln1.normalized_raw'],
    [gpt2, 'blocks.1.resid_pre', 'blocks.1.resid_pre'],
    [gpt2, 'blocks.0.resid_post', 'blocks.0.resid_post'],
  ])('%s: %s is keyed %s', async (model, asked, name) => {
    expect(await names(model, asked)).toEqual([name]);
  });

  it('takes a wildcard in an alias', async () => {
    expect(await names(gpt2, 'blocks.*.attn.hook_pattern')).toEqual([0, 1, 2].map((l) => `blocks.${l}.attn.pattern`));
  });

  it('takes selectors: an index, from the end, a range, a list, a token', async () => {
    const shape = async (sites: string): Promise<readonly number[] | undefined> =>
      (await inspect(gpt2, sites))[0]?.shape;
    expect(await shape('blocks.0.attn.pattern[head=1]')).toEqual([1, 1, 4, 4]);
    expect(await shape('blocks.0.attn.pattern[head=-1, query=-1]')).toEqual([1, 1, 1, 4]);
    expect(await shape('blocks.0.mlp.post[neuron=3..7]')).toEqual([1, 4, 5]);
    expect(await shape('blocks.0.mlp.post[neuron=(1 4 9)]')).toEqual([1, 4, 3]);
    expect(await shape('logits[position="t42"]')).toEqual([1, 1, 61]);
    expect(await shape('logits[position="t5"#2]')).toEqual([1, 1, 61]);
    expect(await shape("blocks.*.attn.pattern[key='t5'#last]")).toEqual([1, 4, 4, 1]);
  });
});

describe('inspect --out', () => {
  it('writes what it told of, as float32 by canonical name', async () => {
    const out = path.join(scratch, 'all.safetensors');
    const sites = await inspect(llama, '**,blocks.0.attn.result', '--out', out);
    const { tensors, dtypes } = await written(out);
    expect([...dtypes]).toEqual(['float32']);
    expect([...tensors.keys()].sort()).toEqual(sites.map((s) => s.name).sort());
    for (const { name, shape, min, max, mean } of sites) {
      const tensor = tensors.get(name);
      expect(tensor?.shape, name).toEqual(shape);
      if (tensor) expect(statistics(tensor), name).toMatchObject({ min, max, mean });
    }
  });

  it('writes the part that a selector chose', async () => {
    const [whole, part] = ['whole', 'part'].map((name) => path.join(scratch, `${name}.safetensors`));
    await inspect(gpt2, 'hook_embed', '--out', whole ?? '');
    await inspect(gpt2, 'hook_embed[position=-1]', '--out', part ?? '');
    const all = (await written(whole ?? '')).tensors.get('embed')?.data ?? [];
    const last = (await written(part ?? '')).tensors.get('embed');
    expect(last?.shape).toEqual([1, 1, 24]);
    expect([...(last?.data ?? [])]).toEqual([...all.slice(-24)]);
  });

  it('writes the site itself where another name of the value was asked for', async () => {
    const out = path.join(scratch, 'two.safetensors');
    await inspect(gpt2, 'blocks.0.resid_post,blocks.1.resid_pre', '--out', out);
    const { tensors } = await written(out);
    expect([...(tensors.get('blocks.1.resid_pre')?.data ?? [])]).toEqual([
      ...(tensors.get('blocks.0.resid_post')?.data ?? [0]),
    ]);
  });

  it('overwrites a file, and says what it wrote', async () => {
    const out = path.join(scratch, 'again.safetensors');
    await inspect(gpt2, '**', '--out', out);
    const { stderr } = await cutaway('inspect', gpt2, ...prompt, '--sites', 'embed', '--out', out);
    expect(stderr).toContain(`wrote ${out}`);
    expect([...(await written(out)).tensors.keys()]).toEqual(['embed']);
  });

  it('shows edited values', async () => {
    const [z] = await inspect(gpt2, 'blocks.0.attn.z', '--edit', 'set blocks.0.attn.z = 0.25');
    expect(z).toMatchObject({ min: 0.25, max: 0.25 });
    const [post] = await inspect(gpt2, 'blocks.0.mlp.post', '--edit', 'replace activation with relu');
    expect(post?.min).toBe(0);
  });
});
