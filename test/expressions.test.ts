import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lens } from '../src/analyses/lens/index.js';
import { evaluate, forward, lowerExpression, runOrder, type ExpressionValues } from '../src/engine/index.js';
import { parseExpression, scoresOf, sitesOf } from '../src/language/index.js';
import { openModel, promptOfIds, type OpenModel } from '../src/service/index.js';
import { range, toFloat32 } from '../src/tensor/index.js';
import { gpt2, tiny } from './cli/command.js';
import { readGolden } from './support/golden.js';

const { golden, tensors } = await readGolden('gpt2-default');
const ids = golden.prompts['long'] as readonly number[];
const plain = (model: OpenModel) => ({ order: runOrder(model.program, []), edits: new Map(), weights: new Map() });

/** A pass that keeps what an expression needs, and the expression's value in it. */
const valueIn = async (model: OpenModel, text: string): Promise<unknown> => {
  const expression = parseExpression(text);
  const variant = plain(model);
  const sites = model.program.segments.flatMap((s) => s.graph.sites);
  const capture = new Set(sitesOf(expression).map((s) => s.site as string));
  expect(sites.map((s) => s.name)).toEqual(expect.arrayContaining([...capture]));
  const result = await forward(model, { variant, ids: [ids], capture, logits: scoresOf(expression).logits });
  const rows = scoresOf(expression).lens
    ? await lens(model, { variant, prompt: promptOfIds(model, ids), position: -1 })
    : [];
  const { logits } = result;
  const scored = logits?.shape[1] ?? 0;
  const values: ExpressionValues = {
    site: (name) => {
      const tensor = result.sites.get(name);
      return tensor && { tensor, axes: axesOf(name) };
    },
    tokens: ids.map((id) => ({ id, text: ` t${id}` })),
    logits: (position) => {
      const at = position - (ids.length - scored);
      return logits && at >= 0 ? range(logits, 1, [at, at + 1]).data : undefined;
    },
    lensLogits: () => rows.find((r) => r.after === 'blocks.0')?.logits,
    encode: (t) => [{ id: Number(t.replace(/\D/g, '')), text: t }],
    step: 0,
    layer: 0,
  };
  return evaluate(expression, values);
};
const axesOf = (name: string): readonly string[] =>
  name.endsWith('pattern') ? ['batch', 'head', 'query', 'key'] : ['batch', 'position', 'model'];

describe('expressions on a model', () => {
  let model: OpenModel;
  beforeAll(async () => {
    model = await openModel(gpt2, { device: 'cpu', engine: 'onnxruntime' });
  });
  afterAll(() => model.dispose());

  it('see the values that transformers has', async () => {
    const pattern = toFloat32(await tensors.read('long.blocks.1.attn.pattern'));
    const length = ids.length;
    const last = Array.from({ length: 4 }, (_, head) =>
      pattern.subarray((head * length + length - 1) * length, (head + 1) * length * length),
    );
    const wanted = Math.max(...last.map((row) => Math.max(...row)));
    expect(await valueIn(model, 'max(blocks.1.attn.pattern[query=-1])')).toBeCloseTo(wanted, 5);
    const resid = toFloat32(await tensors.read('long.blocks.2.resid_pre')).slice(24 * 3, 24 * 4);
    expect(await valueIn(model, 'norm(blocks.2.resid_pre[position=3])')).toBeCloseTo(Math.hypot(...resid), 4);
  });

  it('see the scores that transformers has', async () => {
    const logits = toFloat32(await tensors.read('long.logits'));
    const vocab = logits.length / ids.length;
    const row = (position: number): number[] => [...logits.subarray(position * vocab, (position + 1) * vocab)];
    const probability = (position: number, id: number): number =>
      Math.exp(row(position)[id] ?? NaN) / row(position).reduce((a, b) => a + Math.exp(b), 0);
    expect(await valueIn(model, 'prob(" t17")')).toBeCloseTo(probability(ids.length - 1, 17), 5);
    expect(await valueIn(model, 'prob(17) at position 2')).toBeCloseTo(probability(2, 17), 5);
    const scored = ids.slice(1).map((id, i) => -Math.log(probability(i, id)));
    expect(await valueIn(model, 'loss')).toBeCloseTo(scored.reduce((a, b) => a + b, 0) / scored.length, 4);
  });

  it('see what the model would say if it ended in a block', async () => {
    const rank = await valueIn(model, 'lens_rank(17)');
    expect(Number.isInteger(rank)).toBe(true);
    expect(
      await valueIn(model, `lens_rank(17) == ${String(rank)} && lens_prob(17) > 0 && lens_prob(17) != prob(17)`),
    ).toBe(true);
  });

  it('evaluate the example of the contract in this model', async () => {
    const text = 'prob(" t5") < 0.5 && max(blocks.2.attn.pattern[query=-1]) > 0.9';
    const most = Number(await valueIn(model, 'max(blocks.2.attn.pattern[query=-1])'));
    const likely = Number(await valueIn(model, 'prob(" t5")'));
    expect(await valueIn(model, text)).toBe(likely < 0.5 && most > 0.9);
    expect(await valueIn(model, text.replace('0.9', String(most / 2)))).toBe(likely < 0.5);
  });
});

describe.each(['gpt2-default', 'mixtral-default', 't5-default', 'bert-masked'])(
  'expressions in the graphs of %s',
  (variant) => {
    it('take every site of every segment, and fit the graph', async () => {
      const model = await openModel(tiny(variant), { device: 'cpu', engine: 'onnxruntime' });
      const made = model.program.segments.flatMap(({ graph }) =>
        graph.sites.map(({ name }) => {
          const axis = name.endsWith('pattern') ? 'query' : 'batch';
          const expression = parseExpression(`max(${name}[${axis}=0]) > std(${name}) && nan(${name}) == 0`);
          const lowered = lowerExpression(graph, expression, { tag: 'condition' });
          return lowered.graph.outputs.at(-1)?.name;
        }),
      );
      expect(made.length).toBeGreaterThan(30);
      expect(new Set(made)).toEqual(new Set(['condition']));
      await model.dispose();
    });
  },
);
