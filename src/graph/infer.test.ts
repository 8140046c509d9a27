import { describe, expect, it } from 'vitest';
import type { DType } from '../tensor/index.js';
import { inferNode } from './infer.js';
import type { OpAttrs, OpName } from './ops.js';
import type { Dim, ValueType } from './value.js';

/** A type from `axis:extent` words; an extent that is no number is open. */
const type = (text: string, dtype: DType = 'float32'): ValueType => {
  const pairs = text
    .split(' ')
    .filter(Boolean)
    .map((word) => word.split(':'));
  const dim = (extent: string): Dim => (/^\d+$/.test(extent) ? Number(extent) : extent);
  return { dtype, shape: pairs.map((p) => dim(p[1] ?? p[0] ?? '')), axes: pairs.map((p) => p[0] ?? '') };
};
const infer = <K extends OpName>(op: K, attrs: OpAttrs[K], ...types: ValueType[]): ValueType =>
  inferNode(op, attrs, types);
const invalid: unknown = expect.objectContaining({
  blame: 'us',
  info: expect.objectContaining({ code: 'GRAPH_INVALID' }) as object,
});
const refuses = <K extends OpName>(op: K, attrs: OpAttrs[K], ...types: ValueType[]): void =>
  expect(() => infer(op, attrs, ...types)).toThrow(invalid);

const x = type('batch position model:8');
const integers = type('batch position', 'int64');
const truths = type('batch position', 'bool');

describe('elementwise operators', () => {
  it('keep the type of one operand', () => expect(infer('Exp', {}, x)).toEqual(x));
  it('broadcast at the right, with the names of the axes', () => {
    expect(infer('Add', {}, x, type('model:8'))).toEqual(x);
    expect(infer('Mul', {}, type('batch position one:1'), type('one:1 model:8'))).toEqual(x);
    expect(infer('Sub', {}, x, type(''))).toEqual(x);
  });
  it('refuse extents, open extents and axis names that differ', () => {
    refuses('Add', {}, x, type('model:4'));
    refuses('Add', {}, type('position'), type('key'));
    refuses('Add', {}, type('query:position'), type('key:position'));
  });
  it('refuse element types that differ, and those they do not take', () => {
    refuses('Add', {}, type('batch position'), integers);
    refuses('Add', {}, truths, truths);
    refuses('Exp', {}, integers);
    refuses('Not', {}, integers);
    refuses('And', {}, integers, integers);
    refuses('Greater', {}, truths, truths);
  });
  it('refuse another number of operands', () => {
    refuses('Add', {}, x);
    refuses('Add', {}, x, x, x);
    refuses('Neg', {}, x, x);
    refuses('Max', {});
    expect(infer('Max', {}, x, x, x)).toEqual(x);
  });
  it('compare to truth values', () => {
    expect(infer('Less', {}, integers, integers)).toEqual(truths);
    expect(infer('Equal', {}, truths, truths)).toEqual(truths);
  });
  it('choose by a truth value of any shape that fits', () => {
    expect(infer('Where', {}, type('position one:1', 'bool'), x, type(''))).toEqual(x);
    refuses('Where', {}, x, x, x);
    refuses('Where', {}, truths, x, integers);
  });
  it('cast to another element type', () => expect(infer('Cast', { to: 'bool' }, integers)).toEqual(truths));
});

describe('operators along an axis', () => {
  it('leave an extent of 1', () => {
    expect(infer('ReduceMean', { axis: 1 }, x)).toEqual({ ...x, shape: ['batch', 1, 8] });
  });
  it.each([3, -1, 0.5])('refuse axis %d of 3', (axis) => refuses('ReduceSum', { axis }, x));
  it('take Softmax over the last axis only', () => {
    expect(infer('Softmax', { axis: 2 }, x)).toEqual(x);
    refuses('Softmax', { axis: 0 }, x);
    refuses('Softmax', { axis: 1 }, integers);
  });
});

describe('products', () => {
  it('MatMul contracts the axis that both have', () => {
    const pattern = type('batch head:2 query:position key:position');
    const v = type('batch head:2 key:position headDim:4');
    expect(infer('MatMul', {}, pattern, v)).toEqual(type('batch head:2 query:position headDim:4'));
    expect(infer('MatMul', {}, pattern, type('key:position headDim:4')).axes.at(-1)).toBe('headDim');
  });
  it('MatMul refuses other extents, names, types and vectors', () => {
    refuses('MatMul', {}, type('a:2 b:3'), type('b:4 c:2'));
    refuses('MatMul', {}, type('a:2 b:3'), type('c:3 b:2'));
    refuses('MatMul', {}, type('a:2 b:3'), type('b:3'));
    refuses('MatMul', {}, type('a:2 b:3'), type('b:3 c:2', 'float64'));
    refuses('MatMul', {}, type('h:2 a:2 b:3'), type('h:3 b:3 c:2'));
  });
  it('Linear names what comes out, in both layouts', () => {
    const y = type('batch position neuron:32');
    expect(infer('Linear', { layout: 'out,in', axis: 'neuron' }, x, type('out:32 in:8'))).toEqual(y);
    expect(infer('Linear', { layout: 'in,out', axis: 'neuron' }, x, type('in:8 out:32'))).toEqual(y);
  });
  it('Linear refuses a weight that does not fit', () => {
    refuses('Linear', { layout: 'in,out', axis: 'y' }, x, type('out:32 in:8'));
    refuses('Linear', { layout: 'out,in', axis: 'y' }, x, type('in:8'));
    refuses('Linear', { layout: 'out,in', axis: 'y' }, x, type('head:2 out:32 in:8'));
    refuses('Linear', { layout: 'out,in', axis: 'y' }, type(''), type('out:32 in:8'));
  });
});

describe('operators on form', () => {
  it('Reshape copies extents and finds the rest, open ones too', () => {
    expect(infer('Reshape', { shape: [0, 0, 2, -1], axes: ['batch', 'position', 'head', 'headDim'] }, x)).toEqual(
      type('batch position head:2 headDim:4'),
    );
    expect(infer('Reshape', { shape: [-1, 8], axes: ['row', 'model'] }, x).shape).toEqual(['batch*position', 8]);
    expect(infer('Reshape', { shape: [0, 2], axes: ['a', 'b'] }, type('a:0 b:2')).shape).toEqual([0, 2]);
  });
  it.each([
    ['more than is there', [0, 0, 16]],
    ['what does not divide', [0, 0, 3, -1]],
    ['two unknown extents', [-1, -1]],
    ['an axis that is not there', [0, 0, 8, 0]],
    ['less than -1', [0, 0, -2, -1]],
    ['a fraction', [0, 0, 0.5, -1]],
  ])('Reshape refuses %s', (_, shape) => refuses('Reshape', { shape, axes: shape.map(() => 'a') }, x));
  it('Reshape refuses names for another number of axes', () => refuses('Reshape', { shape: [-1], axes: [] }, x));
  it('Transpose permutes extents', () => {
    expect(infer('Transpose', { perm: [2, 0, 1], axes: ['model', 'batch', 'position'] }, x)).toEqual(
      type('model:8 batch position'),
    );
    refuses('Transpose', { perm: [0, 0, 1], axes: ['a', 'b', 'c'] }, x);
    refuses('Transpose', { perm: [1, 0], axes: ['a', 'b'] }, x);
  });
  it('Slice cuts fixed extents', () => {
    expect(infer('Slice', { axis: 2, start: 2, end: 6 }, x).shape).toEqual(['batch', 'position', 4]);
    refuses('Slice', { axis: 1, start: 0, end: 1 }, x);
    refuses('Slice', { axis: 2, start: 0, end: 9 }, x);
    refuses('Slice', { axis: 2, start: 4, end: 4 }, x);
    refuses('Slice', { axis: 2, start: 0.5, end: 4 }, x);
  });
  it('Concat adds fixed extents, and names the sum of open ones', () => {
    expect(infer('Concat', { axis: 2 }, x, x).shape).toEqual(['batch', 'position', 16]);
    const [past, fresh] = [type('batch key:past'), type('batch key:position')];
    expect(infer('Concat', { axis: 1, extent: 'key' }, past, fresh)).toEqual(type('batch key'));
    refuses('Concat', { axis: 1 }, past, fresh);
  });
  it('Concat refuses parts of another form', () => {
    refuses('Concat', { axis: 1 }, type('a:2 b:3'), type('a:3 b:3'));
    refuses('Concat', { axis: 1 }, type('a:2 b:3'), type('a:2'));
    refuses('Concat', { axis: 0 }, type('a:2'), type('a:2', 'int64'));
    refuses('Concat', { axis: 0 });
  });
  it('Gather puts the axes of the indices where the axis was', () => {
    expect(infer('Gather', { axis: 0 }, type('token:50 model:8'), integers)).toEqual(x);
    expect(infer('Gather', { axis: 1 }, type('batch position model:8'), type('slot:3', 'int64')).axes).toEqual([
      ...['batch', 'slot', 'model'],
    ]);
    refuses('Gather', { axis: 0 }, type('token:50 model:8'), type('position'));
    refuses('Gather', { axis: 0 }, type(''), integers);
  });
  it('Constant has as many values as its shape', () => {
    const attrs = { dtype: 'float32', shape: [2], axes: ['a'] } as const;
    expect(infer('Constant', { ...attrs, values: [1, 2] })).toEqual(type('a:2'));
    refuses('Constant', { ...attrs, values: [1] });
  });
});
