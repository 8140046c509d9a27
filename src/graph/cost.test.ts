import { describe, expect, it } from 'vitest';
import type { Node } from './graph.js';
import { costOf, flops } from './cost.js';
import { infer, inferNode } from './infer.js';
import type { OpAttrs, OpName } from './ops.js';
import type { ValueId, ValueType } from './value.js';

const extents = { batch: 2, position: 16 };
const x: ValueType = {
  dtype: 'float32',
  shape: ['batch', 'position', 8],
  axes: ['batch', 'position', 'model'],
};
const w: ValueType = { dtype: 'float32', shape: [32, 8], axes: ['out', 'in'] };

const cost = <K extends OpName>(op: K, attrs: OpAttrs[K], ...types: ValueType[]) => {
  const node = { id: 'y' as ValueId, op, attrs, inputs: [], scope: '', type: inferNode(op, attrs, types) };
  return costOf(node as unknown as Node, types, extents);
};

describe('cost', () => {
  it('of Linear is a multiply-add for each weight and row, in both layouts', () => {
    const bytes = 4 * (2 * 16 * 8 + 32 * 8 + 2 * 16 * 32);
    expect(cost('Linear', { layout: 'out,in', axis: 'y' }, x, w)).toEqual({ flops: 2 * 2 * 16 * 8 * 32, bytes });
    const turned = { ...w, shape: [8, 32] };
    expect(cost('Linear', { layout: 'in,out', axis: 'y' }, x, turned)).toEqual({ flops: 2 * 2 * 16 * 8 * 32, bytes });
  });
  it('of MatMul counts each matrix of the batch', () => {
    const keys: ValueType = { ...x, shape: ['batch', 8, 'position'], axes: ['batch', 'model', 'key'] };
    expect(cost('MatMul', {}, x, keys)).toEqual({
      flops: 2 * 2 * 16 * 16 * 8,
      bytes: 4 * (2 * 16 * 8 + 2 * 8 * 16 + 2 * 16 * 16),
    });
  });
  it('of arithmetic is one operation an element, and three times its bytes', () => {
    expect(cost('Add', {}, x, x)).toEqual({ flops: 256, bytes: 3 * 4 * 256 });
    expect(cost('Add', {}, x, { ...x, shape: [8], axes: ['model'] }).bytes).toBe(4 * (256 + 8 + 256));
    expect(cost('Greater', {}, x, x).bytes).toBe(4 * 512 + 256);
  });
  it('of a reduction counts what is read', () => {
    expect(cost('ReduceMean', { axis: 2 }, x)).toEqual({ flops: 256, bytes: 4 * (256 + 32) });
  });
  it('of a table counts the rows that are read, not the table', () => {
    const ids: ValueType = { dtype: 'int64', shape: ['batch', 'position'], axes: ['batch', 'position'] };
    const table: ValueType = { dtype: 'float32', shape: [50257, 8], axes: ['token', 'model'] };
    expect(cost('Gather', { axis: 0 }, table, ids)).toEqual({ flops: 0, bytes: 2 * 4 * 256 });
  });
  it('of Reshape is nothing, of Transpose its bytes', () => {
    expect(cost('Reshape', { shape: [-1], axes: ['all'] }, x)).toEqual({ flops: 0, bytes: 0 });
    expect(cost('Transpose', { perm: [1, 0, 2], axes: ['position', 'batch', 'model'] }, x).bytes).toBe(2 * 4 * 256);
  });
  it('is nothing without rows', () => {
    const empty = { ...x, shape: ['batch', 0, 8] };
    expect(cost('Linear', { layout: 'out,in', axis: 'y' }, empty, w).flops).toBe(0);
  });
  it('is known for the operators that inference knows', () => {
    expect(Object.keys(flops).sort()).toEqual(Object.keys(infer).sort());
  });
});
