import type { Brand } from '../base/index.js';
import { bug } from '../base/index.js';
import type { DType } from '../tensor/index.js';

/** Names one value inside one graph. */
export type ValueId = Brand<string, 'value'>;

/**
 * The extent of one axis: a number, or a product of named extents that are known when the graph runs,
 * written `position`, `2*position`, `batch*position` (factors sorted).
 */
export type Dim = number | string;

/** What a value is: element type, extent and name of each axis, outermost first. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly axes: readonly string[];
}

/** Numbers for the named extents: `{ batch: 1, position: 16, past: 0, key: 16 }`. */
export type Extents = Readonly<Record<string, number>>;

interface Monomial {
  readonly factor: number;
  readonly names: readonly string[];
}

const toMonomial = (dim: Dim): Monomial => {
  if (typeof dim === 'number') return { factor: dim, names: [] };
  const parts = dim.split('*');
  const names = parts.filter((p) => !/^\d+$/.test(p));
  const factor = parts.filter((p) => /^\d+$/.test(p)).reduce((a, p) => a * Number(p), 1);
  return { factor, names };
};

const toDim = ({ factor, names }: Monomial): Dim => {
  if (names.length === 0 || factor === 0) return factor;
  const sorted = [...names].sort();
  return factor === 1 ? sorted.join('*') : `${factor}*${sorted.join('*')}`;
};

/** Product of extents, in the canonical form. */
export const multiplyDims = (dims: readonly Dim[]): Dim =>
  toDim(
    dims
      .map(toMonomial)
      .reduce((a, b) => ({ factor: a.factor * b.factor, names: [...a.names, ...b.names] }), { factor: 1, names: [] }),
  );

/** `a / b`, or undefined where it is no whole product of extents. */
export const divideDims = (a: Dim, b: Dim): Dim | undefined => {
  const [top, bottom] = [toMonomial(a), toMonomial(b)];
  const names = [...top.names];
  for (const name of bottom.names) {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    names.splice(at, 1);
  }
  const factor = top.factor / bottom.factor;
  return Number.isInteger(factor) ? toDim({ factor, names }) : undefined;
};

/** The extent as a number. */
export const extentOf = (dim: Dim, extents: Extents): number => {
  const { factor, names } = toMonomial(dim);
  return names.reduce((product, name) => {
    const extent = extents[name];
    if (extent === undefined) throw bug(`no extent given for ${name}`);
    return product * extent;
  }, factor);
};

/** The shape in numbers. */
export const shapeOf = (type: ValueType, extents: Extents): number[] => type.shape.map((d) => extentOf(d, extents));

/** `[batch, position, model 768]`: the axes, with their extents where fixed. */
export const formatType = (type: ValueType): string =>
  `[${type.axes.map((axis, i) => (typeof type.shape[i] === 'number' ? `${axis} ${type.shape[i]}` : axis)).join(', ')}]`;
