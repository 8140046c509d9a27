import { createMemo, createSignal, type Accessor } from 'solid-js';
import type { PatchGrid, PatchResult } from '../../../protocol/index.js';
import type { App } from '../../app.js';
import { compact } from '../../look/numbers.js';
import { boardPositions, effectAt, placeName, rawAt, type Place } from './data.js';

type Column = PatchGrid['columns'][number];

/** Which cell is pointed at and what is told of it; where a click leads. */
export interface Looked {
  readonly told: Accessor<string | undefined>;
  readonly point: (place: Place | undefined) => void;
  readonly go: (place: Place) => void;
  /** Whether a column is the position, or the head, that everybody looks at. */
  readonly isAt: (grid: PatchGrid, column: Column) => boolean;
}

/** A cell in words and numbers. */
const textOf = (app: App, result: PatchResult, place: Place): string => {
  const t = app.t().patching;
  const effect = effectAt(place);
  if (effect === null) return `${placeName(place)}: ${t.none}`;
  const name = result.effect === 'share' ? t.share : t.change;
  const [low, high] = [place.grid.low?.[place.layer]?.[place.column], place.grid.high?.[place.layer]?.[place.column]];
  const bounds = low === undefined || high === undefined ? '' : ` (${t.between(compact(low), compact(high))})`;
  return t.told(placeName(place), compact(rawAt(place)), `${name} ${compact(effect)}${bounds}`);
};

export const makeLooked = (app: App, result: Accessor<PatchResult>): Looked => {
  const [told, setTold] = createSignal<string>();
  const places = createMemo(() => boardPositions(result()));
  const positionOf = ({ position }: Column): number | undefined =>
    position === undefined ? undefined : places() ? places()?.[position] : position;
  /** Of the encoder, or along its text: nothing of the board's cells. */
  const isEncoder = (grid: PatchGrid): boolean =>
    grid.layers.some((layer) => layer.startsWith('encoder.')) ||
    (grid.ofSource === true && grid.by.includes('position'));
  return {
    told,
    point: (place) => {
      const text = place && textOf(app, result(), place);
      setTold(text);
      app.point(text);
    },
    go: ({ grid, layer, column }) => {
      const [after, at] = [grid.layers[layer], grid.columns[column]];
      if (after === undefined || !at || isEncoder(grid)) return;
      const position = result().pairs > 1 ? undefined : positionOf(at); // of another text than the one looked at
      app.look({ after, ...(position === undefined ? {} : { position }), head: at.head });
    },
    isAt: (grid, column) => {
      const focus = app.focus();
      if (!focus || isEncoder(grid) || (column.position !== undefined && result().pairs > 1)) return false;
      if (column.head !== undefined && column.head !== focus.head) return false;
      const position = positionOf(column);
      return column.position === undefined ? column.head !== undefined : position === focus.position;
    },
  };
};
