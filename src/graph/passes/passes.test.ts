import { describe, expect, it } from 'vitest';
import { add, constant, mean, mul, reshape, softmax, sub } from '../algebra.js';
import { GraphBuilder } from '../builder.js';
import type { Graph } from '../graph.js';
import type { ValueId } from '../value.js';
import { weightsAsInputs, paramInput } from './bind.js';
import { cut } from './cut.js';
import { editSite, maskInput, operandInput } from './edit.js';
import { link } from './link.js';
import { prune } from './prune.js';
import { inOrder } from './rewrite.js';
import { tap } from './tap.js';

/** y = (x − mean(x)) · w + 1, with sites along the way and a side branch that nothing needs. */
const example = (): Graph => {
  const b = new GraphBuilder('example');
  const x = b.input('x', { dtype: 'float32', shape: ['position', 4], axes: ['position', 'model'] });
  const w = b.param('scale.weight', [4], ['model']);
  const centred = b.site('centred', sub(x, mean(x)));
  const scaled = b.site('scaled', mul(centred, w));
  const y = add(scaled, constant(x, 1));
  b.siteOnRequest('side', softmax(reshape(scaled, [0, 1, 4], ['position', 'part', 'model'])), { value: y, axis: 1 });
  return b.finish({ y });
};

const ops = (graph: Graph): string[] => graph.nodes.map((n) => n.op);
const idOf = (graph: Graph, site: string): ValueId =>
  graph.sites.find((s) => s.name === site)?.value ?? ('' as ValueId);

describe('prune', () => {
  it('leaves out what no output needs, and the sites of it', () => {
    const pruned = prune(example());
    expect(ops(pruned)).toEqual(['ReduceMean', 'Sub', 'Mul', 'Constant', 'Add']);
    expect(pruned.sites.map((s) => s.name)).toEqual(['centred', 'scaled']);
  });

  it('keeps a site on request where it is an output', () => {
    const pruned = prune(tap(example(), ['side']));
    expect(ops(pruned)).toContain('Softmax');
    expect(pruned.outputs.map((o) => o.name)).toEqual(['y', 'side']);
  });

  it('leaves out weights and inputs that only the rest needed', () => {
    const pruned = prune({ ...example(), outputs: [{ name: 'c', value: idOf(example(), 'centred') }] });
    expect(pruned.params).toEqual([]);
  });
});

describe('tap', () => {
  it('refuses a name that is no site', () => {
    expect(() => tap(example(), ['nowhere'])).toThrow('no site nowhere');
  });

  it('adds an output once', () => {
    expect(tap(example(), ['scaled', 'scaled']).outputs.map((o) => o.name)).toEqual(['y', 'scaled']);
  });
});

describe('editSite', () => {
  const edit = { site: 'scaled', tag: 'e0', form: 'scale', maskAxes: ['position'], operandAxes: [] } as const;

  it('makes every reader read the changed value, the site itself included', () => {
    const edited = editSite(example(), edit);
    const changed = idOf(edited, 'scaled');
    expect(edited.nodes.find((n) => n.id === changed)?.op).toBe('Where');
    const readers = edited.nodes.filter((n) => n.inputs.includes(changed)).map((n) => n.op);
    expect(readers.sort()).toEqual(['Add', 'Reshape']);
  });

  it('gives its numbers as inputs, as wide as they vary', () => {
    const { inputs } = editSite(example(), edit);
    expect(inputs.map((i) => [i.name, i.type.dtype, i.type.shape])).toEqual([
      ['x', 'float32', ['position', 4]],
      [maskInput(edit), 'bool', ['position', 1]],
      [operandInput(edit), 'float32', [1, 1]],
    ]);
  });

  it('comes twice on one site, the second on what the first made', () => {
    const twice = editSite(editSite(example(), edit), { ...edit, tag: 'e1', form: 'add', operandAxes: ['model'] });
    const [first, second] = twice.nodes.filter((n) => n.op === 'Where');
    expect(second?.inputs[2]).toBe(first?.id);
    expect(idOf(twice, 'scaled')).toBe(second?.id);
  });

  it('changes the whole by what it changes a summand by', () => {
    const edited = editSite(example(), { ...edit, site: 'side', maskAxes: [] });
    const y = edited.outputs.find((o) => o.name === 'y')?.value;
    const node = edited.nodes.find((n) => n.id === y);
    expect(node?.op).toBe('Add');
    const sources = node?.inputs.map((id) => edited.nodes.find((n) => n.id === id)?.op);
    expect(sources).toEqual(['Add', 'Reshape']);
  });

  it('leaves the graph it was given as it was', () => {
    const before = example();
    const copy = JSON.stringify(before);
    editSite(before, edit);
    expect(JSON.stringify(before)).toBe(copy);
  });
});

describe('cut', () => {
  it('gives two graphs that share only the values between them', () => {
    const graph = prune(example());
    const { before, after } = cut(graph, [idOf(graph, 'centred')]);
    expect(ops(before)).toEqual(['ReduceMean', 'Sub']);
    expect(ops(after)).toEqual(['Mul', 'Constant', 'Add']);
    expect(after.inputs.map((i) => i.name)).toEqual(before.outputs.map((o) => o.name));
    expect(before.params).toEqual([]);
    expect(after.outputs.map((o) => o.name)).toEqual(['y']);
  });

  it('at an input gives an empty first part', () => {
    const graph = prune(example());
    const { before, after } = cut(graph, ['x' as ValueId]);
    expect(before.nodes).toEqual([]);
    expect(ops(after)).toEqual(ops(graph));
  });
});

describe('weightsAsInputs', () => {
  it('moves a weight, and only that', () => {
    const graph = weightsAsInputs(example(), new Set(['scale.weight', 'another']));
    expect(graph.params).toEqual([]);
    expect(graph.inputs.map((i) => i.name)).toEqual(['x', paramInput('scale.weight')]);
  });
});

describe('link', () => {
  it('hands the carried value on, shares weights, and gives own inputs the name of their part', () => {
    const part = (name: string): { name: string; graph: Graph } => {
      const b = new GraphBuilder(name);
      const type = { dtype: 'float32', shape: ['position', 4], axes: ['position', 'model'] } as const;
      const own = b.input('own', type);
      return { name, graph: b.finish({ x: mul(add(b.input('x', type), own), b.param('w', [4], ['model'])) }) };
    };
    const whole = link('whole', [part('a'), part('b')], { carried: new Set(['x']), own: new Set(['own']) });
    expect(whole.inputs.map((i) => i.name)).toEqual(['a.own', 'x', 'b.own']);
    expect(whole.params.map((p) => p.name)).toEqual(['w']);
    expect(ops(whole)).toEqual(['Add', 'Mul', 'Add', 'Mul']);
    expect(whole.nodes[2]?.inputs[0]).toBe(whole.nodes[1]?.id);
  });
});

describe('inOrder', () => {
  it('puts each node behind what it reads', () => {
    const graph = example();
    const shuffled = { ...graph, nodes: [...graph.nodes].reverse() };
    const seen = new Set<string>([...graph.inputs, ...graph.params].map((v) => v.id));
    for (const node of inOrder(shuffled)) {
      for (const id of node.inputs) expect(seen).toContain(id);
      seen.add(node.id);
    }
  });
});
