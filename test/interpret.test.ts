import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { hotFlip, inputReduction, type Victim } from '../src/analyses/attack/index.js';
import {
  fromRows,
  gradientTimesInput,
  integratedGradients,
  normalized,
  smoothGradient,
  vectors,
  type SmoothScalar,
  type Vectors,
} from '../src/analyses/attribution/index.js';
import {
  add,
  concatAt,
  exp,
  linear,
  log,
  mul,
  relu,
  sigmoid,
  slice,
  sliceAt,
  sub,
  sumLast,
  sumOver,
  tanh,
  type Value,
} from '../src/graph/index.js';
import { graphScalar, type Network, type NetworkParts, type SmallWeights } from './support/graph-scalar.js';
import { sharedOrSkip } from './support/shared.js';

// AllenNLP Interpret on its own fixture classifier: ../shared/reference/formats.md 5.1

interface Expected {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
  readonly loss: number;
  readonly simple_gradient: Saliency;
  readonly integrated_gradient: Saliency;
  readonly integrated_gradient_raw_signed: readonly number[];
  readonly completeness: { readonly loss_at_zero_embedding: number; readonly sum_ig_1000_left: number };
  readonly smooth_gradient: Saliency & { readonly noise: readonly (readonly (readonly number[])[])[] };
  readonly hotflip: {
    readonly original: readonly string[];
    readonly untargeted: {
      readonly final: readonly string[];
      readonly trace: readonly (readonly [number, string, string, readonly number[]])[];
    };
  };
  readonly input_reduction: { readonly original: readonly string[]; readonly final: readonly (readonly string[])[] };
}
interface Saliency {
  readonly instance_1: { readonly grad_input_1: readonly number[] };
}

const hidden = 16;
const embedding = '_text_field_embedder.token_embedder_tokens.weight';
const lstm = '_seq2seq_encoder._module';

/** One step of an LSTM: gates i, f, g, o beside each other. Hochreiter & Schmidhuber 1997. */
const lstmStep = (gates: Value, cell: Value | undefined): { h: Value; c: Value } => {
  const [i, f, g, o] = [0, 1, 2, 3].map((k) => slice(gates, k * hidden, (k + 1) * hidden)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const fresh = mul(sigmoid(i), tanh(g));
  const c = cell ? add(mul(sigmoid(f), cell), fresh) : fresh;
  return { h: mul(sigmoid(o), tanh(c)), c };
};

/** Embeddings [row, in] -> two logits [1, out]. */
const logitsOf = ({ x, weight }: NetworkParts, rows: number): Value => {
  const out = { layout: 'out,in', axis: 'out' } as const;
  const product = (y: Value, name: string): Value => linear(y, weight(name), out);
  let state: { h: Value; c: Value } | undefined;
  const states: Value[] = [];
  for (let t = 0; t < rows; t++) {
    const own = add(product(sliceAt(x, 0, t), `${lstm}.weight_ih_l0`), weight(`${lstm}.bias_ih_l0`));
    const bias = weight(`${lstm}.bias_hh_l0`);
    const gates = add(state ? add(own, product(state.h, `${lstm}.weight_hh_l0`)) : own, bias);
    state = lstmStep(gates, state?.c);
    states.push(state.h);
  }
  const bag = mul(sumOver(concatAt(states, 0), 0), 1 / rows);
  const layer = add(product(bag, '_feedforward._linear_layers.0.weight'), weight('_feedforward._linear_layers.0.bias'));
  return add(product(relu(layer), '_classification_layer.weight'), weight('_classification_layer.bias'));
};

const open = (context: TestContext) => {
  const folder = sharedOrSkip(context, 'interpret');
  const expected = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as Expected;
  const weights = JSON.parse(readFileSync(path.join(folder, 'weights.json'), 'utf8')) as SmallWeights;
  const vocabulary = readFileSync(path.join(folder, 'allennlp-fixture/vocabulary/tokens.txt'), 'utf8').trim();
  const words = ['@@PADDING@@', ...vocabulary.split('\n')];
  const idOf = (word: string): number => Math.max(words.indexOf(word.toLowerCase()), 1);
  const table = weights[embedding] as readonly (readonly number[])[];
  const embed = (ids: readonly number[]): Vectors => fromRows(ids.map((id) => table[id] ?? []));
  const scalar = (ids: readonly number[], of: (logits: Value) => Value): Promise<SmoothScalar> => {
    const network: Network = { weights, build: (parts) => of(logitsOf(parts, ids.length)) };
    return graphScalar(network, embed(ids));
  };
  return { expected, words, idOf, table, scalar };
};
type Fixture = ReturnType<typeof open>;

/** −log of the probability of label 0. */
const loss = (logits: Value): Value => sub(log(sumLast(exp(logits))), slice(logits, 0, 1));

const near = (found: readonly number[], expected: readonly number[], within = 1e-5) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((x, i) => expect(Math.abs((found[i] ?? NaN) - x), String(i)).toBeLessThan(within));
};

describe("AllenNLP's saliencies of its classifier", () => {
  const of = ({ instance_1 }: Saliency) => instance_1.grad_input_1;

  it('SimpleGradient', async (context) => {
    const { expected, scalar } = open(context);
    const found = await gradientTimesInput(await scalar(expected.ids, loss));
    expect(Math.abs(found.value - expected.loss)).toBeLessThan(1e-6);
    near(normalized(found.scores, 'absolute'), of(expected.simple_gradient));
  });

  it('IntegratedGradient, ten steps', async (context) => {
    const { expected, scalar } = open(context);
    const found = await integratedGradients(await scalar(expected.ids, loss), { rule: 'allennlp' });
    near(found.scores, expected.integrated_gradient_raw_signed, 1e-8);
    near(normalized(found.scores, 'absolute'), of(expected.integrated_gradient));
    expect(Math.abs((found.baseline ?? NaN) - expected.completeness.loss_at_zero_embedding)).toBeLessThan(1e-6);
  });

  it('IntegratedGradient, a thousand steps, adds up', async (context) => {
    const { expected, scalar } = open(context);
    const found = await integratedGradients(await scalar(expected.ids, loss), { rule: 'riemann-left', steps: 1000 });
    const sum = found.scores.reduce((a, b) => a + b, 0);
    expect(Math.abs(sum - expected.completeness.sum_ig_1000_left)).toBeLessThan(1e-7);
  });

  it('SmoothGradient, with its noise', async (context) => {
    const { expected, scalar } = open(context);
    const noise = expected.smooth_gradient.noise.map(fromRows);
    const found = await smoothGradient(await scalar(expected.ids, loss), {
      ...{ samples: 10, stdev: 0.01, of: 'range', timesInput: false, average: 'mean', seed: 0, noise },
    });
    near(normalized(found.scores, 'absolute'), of(expected.smooth_gradient));
  });
});

/** The classifier as something to attack: gradients of the loss of a label by the rule of softmax. */
const victimOf = ({ scalar }: Fixture): Victim => {
  const made = new Map<number, Promise<readonly [SmoothScalar, SmoothScalar]>>();
  const scalarsOf = (ids: readonly number[]) => {
    const known = made.get(ids.length);
    const pair =
      known ?? Promise.all([scalar(ids, (y) => slice(y, 0, 1)), scalar(ids, (y) => slice(y, 1, 2))] as const);
    made.set(ids.length, pair);
    return pair;
  };
  const judgeOne = async (ids: readonly number[], wanted?: number) => {
    const both = await scalarsOf(ids);
    const { input } = await scalar(ids, (y) => slice(y, 0, 1));
    const slopes = await Promise.all(both.map(async (s) => (await s.slopes([input]))[0]));
    const scores = slopes.map((s) => s?.value ?? NaN);
    const label = scores[0] === Math.max(...scores) ? 0 : 1;
    const defended = wanted ?? label;
    const exps = scores.map(Math.exp);
    const probabilities = exps.map((e) => e / exps.reduce((a, b) => a + b, 0));
    const gradient = vectors(input.rows, input.width);
    slopes.forEach((slope, k) => {
      const factor = (probabilities[k] ?? 0) - (k === defended ? 1 : 0);
      slope?.gradient.data.forEach((g, i) => (gradient.data[i] = (gradient.data[i] ?? 0) + factor * g));
    });
    return { label, scores, loss: -Math.log(probabilities[defended] ?? NaN), gradient };
  };
  return { judge: (texts, label) => Promise.all(texts.map((ids) => judgeOne(ids, label))) };
};

const ignored = ['@@NULL@@', '.', ',', ';', '!', '?', '[MASK]', '[SEP]', '[CLS]'];

describe("AllenNLP's attacks on its classifier", () => {
  it('HotFlip', async (context) => {
    const fixture = open(context);
    const { expected, idOf, words, table } = fixture;
    const { original, untargeted } = expected.hotflip;
    const found = await hotFlip(victimOf(fixture), original.map(idOf), {
      embeddings: fromRows(table),
      candidate: (id) => /^[\p{L}\p{N}]+$/u.test(words[id] ?? ''),
      ignored: (_, position) => ignored.includes(original[position] ?? ''),
    });
    expect(found.succeeded).toBe(false);
    expect(found.flips.map((f) => [f.position, words[f.to]])).toEqual(untargeted.trace.map(([p, word]) => [p, word]));
    expect(found.final.map((id) => words[id])).toEqual(untargeted.final);
    untargeted.trace.forEach(([, , , logits], i) => near(found.flips[i]?.scores ?? [], logits));
  });

  it('HotFlip towards a label it cannot reach stops when all was tried', async (context) => {
    const fixture = open(context);
    const { expected, idOf, words, table } = fixture;
    const found = await hotFlip(victimOf(fixture), expected.hotflip.original.map(idOf), {
      ...{ embeddings: fromRows(table), target: 1, ignored: () => false },
      candidate: (id) => (words[id] ?? '').length > 3,
    });
    const positions = found.flips.map((f) => f.position);
    expect(new Set(positions).size).toBe(positions.length);
    expect(found.after.loss).toBeLessThan(found.before.loss + 1);
  });

  it('InputReduction', async (context) => {
    const fixture = open(context);
    const { original, final } = expected(fixture).input_reduction;
    const found = await inputReduction(victimOf(fixture), original.map(fixture.idOf), {
      ...{ beam: 3, ignored: () => false },
    });
    expect([found.kept.map((place) => original[place])]).toEqual(final);
    const gone = found.removed.map((r) => r.position);
    expect([...gone, ...found.kept].sort((a, b) => a - b)).toEqual(original.map((_, i) => i));
    expect(found.removed.every((r) => r.after.label === found.before.label)).toBe(true);
    expect(found.after.label).toBe(found.before.label);
  });
});

const expected = ({ expected: all }: Fixture): Expected => all;
