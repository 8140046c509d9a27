import { at as oneOf, reshape, sumOver } from '../algebra.js';
import type { Value } from '../builder.js';
import type { ValueType } from '../value.js';

/** The same numbers under other names of axes. */
const renamed = (x: Value, axes: readonly string[]): Value =>
  x.type.axes.join() === axes.join()
    ? x
    : reshape(
        x,
        axes.map(() => 0),
        axes,
      );

/** A gradient summed along the axes along which its operand was stretched, with the operand's names of axes. */
export const fitted = (gradient: Value, { shape, axes }: ValueType): Value => {
  let fit = gradient;
  while (fit.type.shape.length > shape.length) fit = oneOf(fit.type.shape[0] === 1 ? fit : sumOver(fit, 0), 0, 0);
  const missing = shape.length - fit.type.shape.length;
  shape.forEach((extent, axis) => {
    const own = fit.type.shape[axis - missing] ?? 1;
    if (extent === 1 && own !== 1) fit = sumOver(fit, axis - missing);
  });
  return renamed(fit, axes.slice(missing));
};
