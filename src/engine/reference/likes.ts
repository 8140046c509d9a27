import type { OpAttrs } from '../../graph/index.js';
import { sizeOf } from '../../tensor/index.js';
import { slice } from './form.js';
import { failed, floatOperand, operand, pick, zeros, type Kernel } from './kernel.js';
import { broadcastPlaces, broadcastShape } from './places.js';

/** The same numbers in the shape of the second operand. */
export const reshapeLike: Kernel<object> = (_, inputs) => {
  const [x, { shape }] = [operand(inputs, 0), operand(inputs, 1)];
  if (sizeOf(x.shape) === sizeOf(shape)) return { ...x, shape };
  throw failed(`ReshapeLike from [${x.shape.join(', ')}] to [${shape.join(', ')}]`);
};

/** The first operand stretched to the shape of the second. */
export const expandLike: Kernel<object> = (_, inputs) => {
  const [x, { shape }] = [operand(inputs, 0), operand(inputs, 1)];
  if (broadcastShape([x.shape, shape]).join() !== shape.join())
    throw failed(`ExpandLike from [${x.shape.join(', ')}] to [${shape.join(', ')}]`);
  return pick(x, shape, broadcastPlaces(x.shape, shape));
};

/** Rows added to rows of zeros, one after the other; negative numbers count from the end. */
export const scatterAdd: Kernel<object> = (_, inputs) => {
  const [{ shape }, rows, updates] = [operand(inputs, 0), operand(inputs, 1), floatOperand(inputs, 2)];
  const [extent = 0, width = 0] = shape;
  const result = zeros(updates.dtype, shape);
  Array.from(rows.data, Number).forEach((given, i) => {
    const row = given < 0 ? given + extent : given;
    if (row < 0 || row >= extent) throw failed(`ScatterAdd to row ${given} of ${extent}`);
    for (let c = 0; c < width; c++)
      result.data[row * width + c] = (result.data[row * width + c] ?? 0) + (updates.data[i * width + c] ?? 0);
  });
  return result;
};

/** Of what joins several along an axis, one. */
export const part: Kernel<OpAttrs['Part']> = ({ axis, index }, inputs, precision) => {
  const [joined, ...parts] = inputs;
  const extents = parts.map((t) => t.shape[axis] ?? 1);
  const start = extents.slice(0, index).reduce((a, b) => a + b, 0);
  const end = start + (extents[index] ?? 0);
  if (!joined || end > (joined.shape[axis] ?? 0)) throw failed(`a Part that ends at ${end}`);
  return slice({ axis, start, end }, [joined], precision);
};
