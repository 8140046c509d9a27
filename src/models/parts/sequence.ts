import { input, type Dim, type Scope, type Value } from '../../graph/index.js';

/** An encoder's inputs stand beside its decoder's, so they have names and an extent of their own. */
const inEncoder = (s: Scope): boolean => /^encoder(\.|$)/.test(s.path);

const named = (s: Scope, name: string): string => (inEncoder(s) ? `encoder.${name}` : name);

/** How many tokens the sequence of this place has. */
export const sequenceExtent = (s: Scope): Dim => (inEncoder(s) ? 'source' : 'position');

const sequenceAxes = ['batch', 'position'];

/** [batch, position] integers, given at each run. */
export const integers = (s: Scope, name: 'ids' | 'positions' | 'types'): Value =>
  input(s, named(s, name), { dtype: 'int64', shape: ['batch', sequenceExtent(s)], axes: sequenceAxes });

/** Sines and cosines of each position. [1, position, model] */
export const sinusoids = (s: Scope, modelDim: number): Value =>
  input(s, named(s, 'sinusoid'), {
    dtype: 'float32',
    shape: [1, sequenceExtent(s), modelDim],
    axes: ['batch', 'position', 'model'],
  });

/** The residual stream, handed on from segment to segment. [batch, position, model] */
export const stream = (s: Scope, name: string, modelDim: number): Value =>
  input(s, name, {
    dtype: 'float32',
    shape: ['batch', sequenceExtent(s), modelDim],
    axes: ['batch', 'position', 'model'],
  });

/** Additive: 0 where a key may be seen, the float32 minimum where not. [batch, 1, query, key] */
export const causalMask = (s: Scope, name: 'causal' | 'window' = 'causal'): Value =>
  input(s, `mask.${name}`, {
    dtype: 'float32',
    shape: ['batch', 1, 'position', 'key'],
    axes: ['batch', 'head', 'query', 'key'],
  });

/** Additive: hides the padding of shorter texts in a batch, nothing else. [batch, 1, 1, key] */
export const paddingMask = (s: Scope): Value =>
  input(s, named(s, 'mask.padding'), {
    dtype: 'float32',
    shape: ['batch', 1, 1, sequenceExtent(s)],
    axes: ['batch', 'head', 'query', 'key'],
  });

/** Additive: hides the padding of the encoder's texts from the decoder. [batch, 1, 1, source] */
export const sourceMask = (s: Scope): Value =>
  input(s, 'mask.source', {
    dtype: 'float32',
    shape: ['batch', 1, 1, 'source'],
    axes: ['batch', 'head', 'query', 'source'],
  });

/** How far each key is from each query, in classes. [query, key] integers */
export const distances = (s: Scope): Value =>
  input(s, named(s, 'distance'), {
    dtype: 'int64',
    shape: [sequenceExtent(s), inEncoder(s) ? 'source' : 'key'],
    axes: ['query', 'key'],
  });
