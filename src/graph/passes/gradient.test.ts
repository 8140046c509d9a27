import { describe, expect, it } from 'vitest';
import { add, constant, div, linear, mean, mul, relu, slice, softmax, sqrt, sub } from '../algebra.js';
import { GraphBuilder } from '../builder.js';
import type { Graph } from '../graph.js';
import {
  gradientOfInput,
  gradientOfSite,
  gradientOfWeight,
  isKept,
  onlyGradients,
  splitGradients,
  upstreamInput,
  withGradients,
  type GradientRequest,
} from './gradient.js';

/** out = relu(norm(x) · Wᵀ + b), with sites along the way, one that nothing reads, and a side branch. */
const example = (): Graph => {
  const g = new GraphBuilder('example');
  const x = g.input('x', { dtype: 'float32', shape: ['position', 4], axes: ['position', 'model'] });
  const w = g.param('w', [3, 4], ['out', 'in']);
  const b = g.param('b', [3], ['neuron']);
  const centred = sub(x, mean(x));
  const normed = g.site('normed', div(centred, sqrt(add(mean(mul(centred, centred)), constant(x, 1e-5)))));
  const pre = g.site('pre', add(linear(normed, w, { layout: 'out,in', axis: 'neuron' }), b));
  const out = g.site('out', relu(pre));
  g.site('side', softmax(pre));
  return g.finish({ out });
};

const nothing: GradientRequest = { seeds: [], upstream: ['out'], sites: [], inputs: [], weights: [], edits: [] };
const ops = (graph: Graph): string[] => graph.nodes.map((n) => n.op);
const names = (list: readonly { readonly name: string }[]): string[] => list.map((v) => v.name);

describe('the way back', () => {
  it('gives what was asked for, each in the shape and with the axes of its value', () => {
    const request = { ...nothing, sites: ['normed'], inputs: ['x'], weights: ['w', 'b'] };
    const graph = onlyGradients(example(), request);
    const types = new Map(graph.nodes.map((n) => [n.id, n.type]));
    const typeOf = (name: string) => types.get(graph.outputs.find((o) => o.name === name)?.value ?? ('' as never));
    expect(typeOf(gradientOfSite('normed'))).toMatchObject({ shape: ['position', 4], axes: ['position', 'model'] });
    expect(typeOf(gradientOfInput('x'))).toMatchObject({ shape: ['position', 4], axes: ['position', 'model'] });
    expect(typeOf(gradientOfWeight('w'))).toMatchObject({ shape: [3, 4], axes: ['out', 'in'] });
    expect(typeOf(gradientOfWeight('b'))).toMatchObject({ shape: [3], axes: ['neuron'] });
    expect(graph.outputs).toHaveLength(4);
  });

  it('stops at what is asked for: nothing is made for what stands before', () => {
    const graph = onlyGradients(example(), { ...nothing, sites: ['pre'] });
    const whole = withGradients(example(), { ...nothing, sites: ['pre'] });
    expect(names(graph.inputs)).toEqual(['x', upstreamInput('out')]);
    expect(ops(whole).filter((op) => op === 'Linear')).toHaveLength(1);
  });

  it('puts the gradients of slices side by side, with zeros only where no slice was', () => {
    const cut = (...bounds: readonly (readonly [number, number])[]): Graph => {
      const g = new GraphBuilder('slices');
      const x = g.input('x', { dtype: 'float32', shape: ['position', 6], axes: ['position', 'model'] });
      const [first, ...others] = bounds.map(([from, to]) => slice(x, from, to));
      if (!first) throw new Error('no slice');
      return onlyGradients(g.finish({ out: others.reduce((a, b) => mul(a, b), first) }), { ...nothing, inputs: ['x'] });
    };
    expect(ops(cut([0, 2], [2, 4], [4, 6])).filter((op) => op === 'Concat' || op === 'ExpandLike')).toEqual(['Concat']);
    expect(ops(cut([1, 3], [4, 6])).filter((op) => op === 'Concat' || op === 'ExpandLike')).toEqual([
      'ExpandLike', // before the first
      'ExpandLike', // between
      'Concat',
    ]);
    expect(ops(cut([0, 4], [2, 6])).filter((op) => op === 'Concat')).toHaveLength(2); // they overlap
  });

  it('multiplies by a weight in the other layout, not by a transposed copy', () => {
    const graph = onlyGradients(example(), { ...nothing, sites: ['normed'] });
    const layouts = graph.nodes.flatMap((n) => (n.op === 'Linear' ? [n.attrs.layout] : []));
    expect(layouts).toEqual(['out,in', 'in,out']);
    expect(ops(graph)).not.toContain('Transpose');
  });

  it('is zeros for what the outputs do not depend on', () => {
    const graph = onlyGradients(example(), { ...nothing, sites: ['side'] });
    expect(ops(graph)).toContain('ExpandLike');
    expect(names(graph.inputs)).toEqual(['x']);
  });

  it('refuses names that are not there', () => {
    expect(() => withGradients(example(), { ...nothing, sites: ['nowhere'] })).toThrow('no site nowhere');
    expect(() => withGradients(example(), { ...nothing, upstream: ['nowhere'] })).toThrow('no output nowhere');
    expect(() => withGradients(example(), { ...nothing, weights: ['nowhere'] })).toThrow('no nowhere among its params');
  });
});

describe('forward and back as two graphs', () => {
  const request = { ...nothing, sites: ['normed'], inputs: ['x'] };

  it('share the products, and the second computes the rest again', () => {
    const { before, after } = splitGradients(example(), request);
    const kept = names(before.outputs).filter(isKept);
    expect(kept).toHaveLength(1);
    expect(names(after.inputs)).toEqual(['x', upstreamInput('out'), ...kept]);
    const forward = ops(before).filter((op) => op === 'Linear');
    expect([forward.length, ops(after).filter((op) => op === 'Linear').length]).toEqual([1, 1]);
    expect(ops(after)).toContain('Sqrt');
  });

  it('leave the first as it was but for what is kept', () => {
    const { before } = splitGradients(example(), request);
    expect(names(before.outputs).filter((name) => !isKept(name))).toEqual(['out']);
    expect(ops(before).filter((op) => op === 'Relu')).toHaveLength(1);
  });

  it('keep nothing where the way back needs no product', () => {
    const { before } = splitGradients(example(), { ...nothing, sites: ['out'] });
    expect(names(before.outputs)).toEqual(['out']);
  });
});
