import { describe, expect, it } from 'vitest';
import type { Graph, Node } from './graph.js';
import type { ValueId, ValueType } from './value.js';
import { verify } from './verify.js';

const id = (name: string): ValueId => name as ValueId;
const row: ValueType = { dtype: 'float32', shape: ['position', 4], axes: ['position', 'model'] };
const node = (name: string, inputs: readonly string[], type = row): Node => ({
  ...{ id: id(name), op: 'Add', attrs: {}, scope: '', type },
  inputs: inputs.map(id),
});

const graph: Graph = {
  name: 'test',
  inputs: [{ id: id('x'), name: 'x', type: row }],
  params: [{ id: id('w'), name: 'gain', type: { dtype: 'float32', shape: [4], axes: ['model'] } }],
  nodes: [node('a', ['x', 'w']), node('b', ['a', 'x'])],
  sites: [{ name: 'resid', value: id('a'), onRequest: false }],
  outputs: [{ name: 'y', value: id('b') }],
};

const refused = (change: Partial<Graph>, message: RegExp): void => {
  const invalid: unknown = expect.objectContaining({
    message: expect.stringMatching(message) as string,
    info: expect.objectContaining({ code: 'GRAPH_INVALID' }) as object,
  });
  expect(() => verify({ ...graph, ...change })).toThrow(invalid);
};

describe('verify', () => {
  it('gives a graph that fits together back as it is', () => expect(verify(graph)).toBe(graph));
  it('lets a value have several names, and an input be an output', () => {
    const outputs = [...graph.outputs, { name: 'again', value: id('b') }, { name: 'x', value: id('x') }];
    expect(verify({ ...graph, outputs }).outputs).toHaveLength(3);
  });
  it('refuses an id that is defined twice', () => {
    refused({ nodes: [...graph.nodes, node('a', ['x', 'x'])] }, /a is defined twice/);
    refused({ nodes: [node('x', ['x', 'w'])] }, /x is defined twice/);
  });
  it('refuses a node that reads what comes later, or is not there', () => {
    refused({ nodes: graph.nodes.toReversed() }, /b \(Add\) reads a, which is not there yet/);
    refused({ nodes: [node('a', ['x', 'nowhere'])] }, /reads nowhere/);
    refused({ nodes: [node('a', ['x', 'a'])] }, /reads a, which/);
  });
  it('refuses a type that is not the inferred one: element type, shape or axes', () => {
    const types: ValueType[] = [
      { ...row, dtype: 'int64' },
      { ...row, shape: ['position', 5] },
      { ...row, axes: ['position', 'neuron'] },
    ];
    for (const type of types) refused({ nodes: [node('a', ['x', 'w'], type), node('b', ['x', 'x'])] }, /another type/);
  });
  it('refuses operands that do not fit', () => {
    refused({ params: [{ ...w, type: { ...w.type, shape: [5] } }] }, /do not broadcast/);
  });
  it('refuses axes without a name', () => {
    refused({ inputs: [{ id: id('x'), name: 'x', type: { ...row, axes: ['position'] } }] }, /axes without a name/);
  });
  it.each(['inputs', 'params', 'sites', 'outputs'] as const)('refuses two %s of one name', (kind) => {
    const [first] = graph[kind];
    const twice = [...graph[kind], { ...first, id: id('other') }];
    refused({ [kind]: twice }, new RegExp(`two ${kind} are named`));
  });
  it('refuses sites and outputs of values that are not there', () => {
    refused({ sites: [{ name: 's', value: id('gone'), onRequest: false }] }, /s names gone/);
    refused({ outputs: [{ name: 'y', value: id('gone') }] }, /y names gone/);
  });
});

const [w] = graph.params as [Graph['params'][number]];
