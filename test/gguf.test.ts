import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../src/base/index.js';
import { forward, generate, runOrder } from '../src/engine/index.js';
import { openGguf } from '../src/formats/index.node.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { toFloat32 } from '../src/tensor/index.js';
import { worstDifference } from './support/golden.js';
import { root } from './support/root.js';
import { sharedOrSkip } from './support/shared.js';

/** Of `golden/gguf/models.py`: what transformers reads in the file and computes with it. */
interface Golden {
  readonly config: JsonObject;
  readonly weights: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
  readonly ids: readonly number[];
  /** [position, vocab] */
  readonly logits: readonly (readonly number[])[];
}

const folder = path.join(root, 'test/golden/gguf');
const variants = readdirSync(folder)
  .filter((file) => file.endsWith('.gguf'))
  .map((file) => file.slice(0, -'.gguf'.length));
const fileOf = (variant: string): string => path.join(folder, `${variant}.gguf`);
const goldenOf = (variant: string): Golden =>
  JSON.parse(readFileSync(path.join(folder, `${variant}.json`), 'utf8')) as Golden;

/** Absolute, as in parity.test.ts: what float32 itself costs, three times. */
const tolerance = 2e-5;

const plainRun = (model: OpenModel) => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});

/** Fields that say the same otherwise: transformers has `rope_scaling` in the form that was given to it. */
const ownForm = ['rope_scaling', 'architectures'];
/** transformers leaves fields out, or null, that say what follows from others. */
const follows = (key: string, config: JsonObject): Json | undefined => {
  if (key === 'head_dim') return Number(config['hidden_size']) / Number(config['num_attention_heads']);
  return config[key];
};

describe.each(variants)('%s', (variant) => {
  it('has the config that it was made from', async () => {
    const { config, weights } = await openGguf(fileOf(variant));
    await weights.close();
    const expected = goldenOf(variant).config;
    const fields = Object.keys(config).filter((key) => !ownForm.includes(key));
    expect(fields.length).toBeGreaterThan(10);
    for (const key of fields) expect(config[key], key).toEqual(expected[key] ?? follows(key, expected));
  });

  it('has the weights that transformers reads in it, to the bit', async () => {
    const { weights } = await openGguf(fileOf(variant));
    const expected = goldenOf(variant).weights;
    const read = await Promise.all(
      Object.keys(expected).map(async (name) => {
        const { shape, data } = await weights.read(name);
        const sha256 = createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex');
        return [name, { shape, sha256 }] as const;
      }),
    );
    await weights.close();
    expect(Object.fromEntries(read)).toEqual(expected);
    expect([...weights.names()].sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(['onnxruntime', 'reference'] as const)('gives the logits of transformers, on %s', async (engine) => {
    const golden = goldenOf(variant);
    const model = await openModel(fileOf(variant), { device: 'cpu', engine });
    const { sites } = await forward(model, {
      variant: plainRun(model),
      ids: [golden.ids],
      capture: new Set(['logits']),
      logits: 'all',
    });
    await model.dispose();
    const logits = sites.get('logits');
    expect(worstDifference(logits ? toFloat32(logits) : [], golden.logits.flat())).toBeLessThan(tolerance);
  });
});

it.for(['packed', 'apart', 'inputs', 'mapped'] as const)(
  'stories260K speaks as in its golden, %s',
  async (binding, context) => {
    const file = sharedOrSkip(context, 'models/stories260K/stories260K.gguf');
    const golden = JSON.parse(readFileSync(path.join(path.dirname(file), 'golden.json'), 'utf8')) as {
      readonly ids: readonly number[];
      readonly greedy_ids: readonly number[];
      readonly last_logits: readonly number[];
    };
    const model = await openModel(file, { device: 'cpu', engine: 'onnxruntime', binding });
    const variant = plainRun(model);
    const { logits } = await forward(model, { variant, ids: [golden.ids], capture: new Set() });
    expect(worstDifference(logits?.data ?? [], golden.last_logits)).toBeLessThan(1e-4);
    const made = golden.greedy_ids.slice(0, 1);
    const steps = generate(model, {
      ...{ variant, ids: made.slice(), sampling: {}, eos: new Set<number>() },
      maxNewTokens: golden.greedy_ids.length - 1,
    });
    for await (const { taken } of steps) if (taken) made.push(taken.id);
    await model.dispose();
    expect(made).toEqual(golden.greedy_ids);
  },
);
