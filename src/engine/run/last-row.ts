import { carried, handedOn, rowsInputs } from '../../graph/index.js';
import { int64From, type Tensor } from '../../tensor/index.js';
import type { ForwardRequest } from './request.js';
import type { Instance } from './order.js';
import { isDoubled, type Rows } from './rows.js';

/** What a pass runs, as far as it decides which rows of its last layer are read. */
export interface LastRowRequest {
  readonly request: Pick<ForwardRequest, 'cache' | 'ids' | 'taps' | 'sparing' | 'keeping'>;
  readonly instances: readonly Instance[];
  readonly rows: Rows;
  readonly scored: 'last' | 'all' | 'none';
  /** Is anything inside this instance asked for? */
  readonly isCaptured: (instance: Instance) => boolean;
}

/** Does nothing but the way from the stream back to the stream ask for this layer's gradients? */
const passesBack = ({ keeping }: LastRowRequest['request'], instance: Instance): boolean => {
  const request = keeping?.requestOf(instance);
  if (!request) return true;
  const { sites, weights, edits, seeds } = request;
  return [sites, weights, edits, seeds].every((list) => list.length === 0);
};

/**
 * The layer of which only the last position's row is computed, since only that is scored: queries, output and MLP of
 * all others are spared. Undefined where other rows are read, or handed to a cache.
 */
export const lastRowLayer = (asked: LastRowRequest): Instance | undefined => {
  const { request, instances, rows, scored, isCaptured } = asked;
  const [layer, head] = instances.slice(-2);
  if (!layer || layer.segment.kind !== 'block' || head?.segment.kind !== 'head') return undefined;
  const isPlain = request.sparing === true && scored === 'last' && !request.cache && request.taps !== 'all';
  if (handedOn(layer.segment).join() !== carried) return undefined;
  const isEven = new Set(request.ids.map((row) => row.length)).size === 1;
  if (!isPlain || !isEven || isDoubled(rows) || rows.positions.length < 3) return undefined;
  return isCaptured(layer) || isCaptured(head) || !passesBack(request, layer) ? undefined : layer;
};

/** The last row, twice: a product of one row would take another kernel. By the names of the inputs that choose rows. */
export const lastRowFeed = (name: string, { positions }: Rows): Tensor | undefined => {
  if (!rowsInputs.some((input) => input === name)) return undefined;
  return int64From([2], [positions.length - 1, positions.length - 1]);
};
