import { UsageError } from '../../base/index.js';
import type { ValueType } from '../../graph/index.js';
import { take, type FloatTensor } from '../../tensor/index.js';

/** Which position of another run stands for each of a value's own. */
export interface Alignment {
  /** Of the model's own sequence. */
  readonly positions: readonly (number | undefined)[];
  /** Of the encoder's, where there is one. */
  readonly source: readonly (number | undefined)[];
}

const isWhole = (map: readonly (number | undefined)[], extent: number): boolean =>
  map.length === extent && map.every((p, i) => p === i);

const refused = (name: string, axis: string): UsageError =>
  new UsageError(
    `${name} cannot be patched between prompts of different length: its axis ${axis} has another extent there`,
    {
      code: 'OPTION_INVALID',
      hint: 'Give prompts of as many tokens (`cutaway tokenize MODEL --text` counts them), or patch sites along positions, such as resid_pre, attn_out or attn.z.',
    },
  );

/**
 * A value of another run, laid out as the site is in this one. Rows that nothing stands for are of no meaning: they are
 * not to be patched in.
 * @param rows the axis that positions are along, and whether these are the encoder's
 * @throws UsageError OPTION_INVALID for attention's weights where lengths differ
 */
export const alignedValue = (
  value: FloatTensor,
  {
    name,
    type,
    rows,
  }: {
    readonly name: string;
    readonly type: ValueType;
    readonly rows: { readonly at: number; readonly isSource: boolean };
  },
  { positions, source }: Alignment,
): FloatTensor =>
  type.axes.reduce((tensor, axis, a) => {
    const dim = type.shape[a];
    if (typeof dim === 'number' || dim === 'batch') return tensor;
    const map = dim === 'source' || rows.isSource ? source : positions;
    if (isWhole(map, tensor.shape[a] ?? 0)) return tensor;
    if (a !== rows.at || axis === 'query') throw refused(name, axis);
    return take(
      tensor,
      a,
      map.map((p) => p ?? 0),
    );
  }, value);
