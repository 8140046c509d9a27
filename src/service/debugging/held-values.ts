import { UsageError } from '../../base/index.js';
import {
  childrenOf,
  lengthOf,
  selectorOf,
  shownTensor,
  shownType,
  viewOf,
  type TensorView,
} from '../../debugger/index.js';
import type { Item, OpenedPart } from '../../protocol/index.js';
import { toFloat32, type Tensor } from '../../tensor/index.js';

/** A value where a run stands, as faces look at it. */
export interface HeldValue {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
  /** The position of index 0 on `position` and `query`. */
  readonly offset: number;
  /** What stands before a selector where it is changed: a site, `weight NAME`; left out of what cannot be. */
  readonly place?: string;
  /** The same where it is read in an expression. */
  readonly expression?: string;
}

/** Which children of a value are wanted; without a count, all, in chunks where they are many. */
export interface Paging {
  readonly start?: number | undefined;
  readonly count?: number | undefined;
}

const mostBytes = 64 * 2 ** 20;

const openedView = (held: HeldValue, { at, from, to }: OpenedPart): TensorView => {
  const whole = { ...viewOf(held, held), at: [...at] };
  const length = held.tensor.shape[at.length] ?? 0;
  const fits = at.length < held.tensor.shape.length && at.every((i, a) => i < (held.tensor.shape[a] ?? 0));
  if (!fits)
    throw new UsageError('there is no such part of the value', {
      code: 'SELECTOR_INVALID',
      hint: `It has shape [${held.tensor.shape.join(', ')}].`,
    });
  return { ...whole, from: Math.min(from ?? 0, length), to: Math.min(to ?? length, length) };
};

const partOf = ({ at, from, to }: TensorView): OpenedPart => ({ at: [...at], from, to });

const named = (held: HeldValue, selector: string): Pick<Item, 'place' | 'expression'> => ({
  ...(held.place === undefined ? {} : { place: held.place + selector }),
  ...(held.expression === undefined ? {} : { expression: held.expression + selector }),
});

/** A whole value as something that can be opened. */
export const itemOf = (name: string, ref: string, held: HeldValue): Item => {
  const view = viewOf(held, held);
  return {
    ...{ name, value: shownTensor(held.tensor), type: shownType(held.tensor, held.axes) },
    ...{ ref, part: partOf(view), length: lengthOf(view), ...named(held, '') },
  };
};

/** What is inside a part of a value. @throws UsageError SELECTOR_INVALID */
export const childItems = (ref: string, held: HeldValue, { part, ...paging }: Paging & { part: OpenedPart }): Item[] =>
  childrenOf(openedView(held, part), paging).map(({ name, value, type, view, selector }) => ({
    ...{ name, value, ...(type === '' ? {} : { type }) },
    ...(view ? { ref, part: partOf(view), length: lengthOf(view) } : {}),
    ...(selector === '' ? {} : named(held, selector)),
  }));

/** A value's numbers as little-endian float32; fewer than asked for where it ends. @throws UsageError MEMORY_LIMIT */
export const bytesIn = (held: HeldValue, offset: number, count: number): { total: number; bytes: Uint8Array } => {
  if (count > mostBytes)
    throw new UsageError(`more than ${mostBytes} bytes at once`, {
      code: 'MEMORY_LIMIT',
      hint: 'Read it in parts: offset says from where.',
    });
  const { buffer, byteOffset, byteLength } = toFloat32(held.tensor);
  const from = Math.min(byteLength, offset);
  const to = Math.min(byteLength, offset + count);
  return { total: byteLength, bytes: new Uint8Array(buffer, byteOffset + from, to - from).slice() };
};

/** More elements than this are not written as memory: each becomes a change of its own. */
const mostWritten = 64;

const indicesOf = (element: number, shape: readonly number[]): number[] => {
  let rest = element;
  return shape
    .toReversed()
    .map((extent) => {
      const index = rest % extent;
      rest = Math.floor(rest / extent);
      return index;
    })
    .toReversed();
};

/** An element that is written, by its selector, and what becomes of it. */
export interface Written {
  readonly selector: string;
  readonly value: number;
}

/**
 * The elements that bytes written at an offset change. Half an element keeps its other bytes.
 * @throws UsageError COMMAND_INVALID beyond the value's end, or for more than 64 numbers
 */
export const writtenIn = (held: HeldValue, offset: number, bytes: Uint8Array): Written[] => {
  const data = toFloat32(held.tensor).slice();
  const all = new Uint8Array(data.buffer);
  if (offset + bytes.length > all.length)
    throw new UsageError(`the value ends at byte ${all.length}`, {
      code: 'COMMAND_INVALID',
      hint: 'Write inside of it.',
    });
  const [first, last] = [Math.floor(offset / 4), Math.ceil((offset + bytes.length) / 4)];
  if (last - first > mostWritten)
    throw new UsageError(`at most ${mostWritten} numbers are written at once, and these are ${last - first}`, {
      code: 'COMMAND_INVALID',
      hint: 'To set many, use an edit: `set SITE[...] = zero`, `set SITE = from recording FILE`.',
    });
  all.set(bytes, offset);
  return Array.from({ length: last - first }, (_, i) => {
    const at = indicesOf(first + i, held.tensor.shape);
    return { selector: selectorOf({ axes: held.axes, at, offset: held.offset }), value: data[first + i] ?? NaN };
  });
};
