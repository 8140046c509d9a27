import type { JsonObject } from '../../base/index.js';
import { add, at, inner, site, tanh, weight, type Scope, type Value } from '../../graph/index.js';
import type { TokenTables } from '../layouts/decoder.js';
import type { HasTensor } from '../family.js';
import { linear, tokenTable, torchLinear, unembed } from './layers.js';

/** What a model that reads a whole text scores: words at each position, or labels of the text. */
export type EncoderOutput = 'masks' | 'labels';

/**
 * The head that `architectures` names; where it names none, the one that the file has tensors for.
 * @param classifies has the file the tensors of a classifier?
 */
export const encoderOutput = (json: JsonObject, classifies: boolean): EncoderOutput => {
  const listed = json['architectures'];
  const first: unknown = Array.isArray(listed) ? listed[0] : undefined;
  if (typeof first === 'string') return first.endsWith('ForSequenceClassification') ? 'labels' : 'masks';
  return classifies ? 'labels' : 'masks';
};

/** The bias of words, under the name that the file has it by: in transformers both are one tensor. */
export const savedBias = (has: HasTensor, own: string, decoder: string): string =>
  !has(own) && has(decoder) ? decoder : own;

/** The parts of a head that scores words, by their names in the file. */
export interface WordHead {
  readonly vocab: number;
  readonly modelDim: number;
  /** A linear layer, then an activation, then a norm. */
  readonly dense: string;
  readonly act: (x: Value) => Value;
  readonly norm: (s: Scope, x: Value) => Value;
  /** Full names of the matrix and bias that score. */
  readonly tables: TokenTables;
  readonly bias: string;
}

/** LN(act(W·x + b))·Uᵀ + c: every word's score at each position. Devlin 2019 §3.1. [batch, position, vocab] */
export const wordHead = (s: Scope, x: Value, head: WordHead): Value => {
  const at = inner(s, 'head');
  const pre = site(at, 'pre', linear(at, x, torchLinear(head.dense, head.modelDim, { axis: 'model', bias: true }))); // [batch, position, model]
  const post = site(at, 'post', head.act(pre));
  const scores = unembed(head.norm(inner(at, 'ln'), post), tokenTable(s, head.tables.unembedding, head));
  return add(scores, weight({ ...s, weights: '' }, head.bias, { shape: [head.vocab], axes: ['vocab'] }));
};

/** The parts of a classifier, by their names in the file. */
export interface LabelHead {
  readonly modelDim: number;
  readonly labels: number;
  /** A linear layer, then an activation (tanh where left out), then the linear layer that scores. */
  readonly dense: string;
  readonly act?: (x: Value) => Value;
  readonly out: string;
}

/** W·act(V·x₀ + b) + c of the first position: every label's score. Devlin 2019 §4.1. [batch, label] */
export const labelHead = (s: Scope, x: Value, { modelDim, labels, dense, act = tanh, out }: LabelHead): Value => {
  const head = inner(s, 'head');
  const first = at(x, 1, 0); // [batch, model]
  const pre = site(head, 'pre', linear(s, first, torchLinear(dense, modelDim, { axis: 'model', bias: true }))); // [batch, model]
  const post = site(head, 'post', act(pre));
  return linear(s, site(s, 'pooled', post), torchLinear(out, labels, { axis: 'label', bias: true }));
};
