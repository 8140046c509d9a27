import type { LensCell } from '../../../protocol/index.js';
import type { Board } from '../../state/board.js';
import type { PairedCell } from '../../state/difference.js';
import { compact, percent } from '../../look/numbers.js';

export const measureIds = [
  'probability',
  'rank',
  'top',
  'entropy',
  'norm',
  'change',
  'kl',
  'distance',
  'broken',
  'effect',
] as const;
export type MeasureId = (typeof measureIds)[number];
export const isMeasure = (text: string): text is MeasureId => (measureIds as readonly string[]).includes(text);

/** What the board can be coloured by. A further measure is a row here and its name in the languages. */
export interface Measure {
  /** Undefined or null where a cell has none. */
  readonly of: (cell: LensCell) => number | null | undefined;
  /** Where the scale begins and ends, given the greatest number there is and the vocabulary. */
  readonly ends: (greatest: number, vocab: number) => readonly [number, number];
  /** Ranks span the vocabulary: their scale is logarithmic, and the first is the brightest. */
  readonly isLog?: true;
  readonly show: (x: number) => string;
  /** Whether it needs a run without edits to compare with. */
  readonly needsEdits?: true;
  /** Whether it is of something that was tried; where that is, `shownMeasure` finds its numbers. */
  readonly needsTrial?: true;
}

const upTo = (greatest: number): readonly [number, number] => [0, greatest > 0 ? greatest : 1];
const whole = (x: number): string => String(Math.round(x));

export const measures: Readonly<Record<MeasureId, Measure>> = {
  probability: { of: (c) => c.words[0]?.probability, ends: () => [0, 1], show: percent },
  rank: { of: (c) => c.words[0]?.rank, ends: (_, vocab) => [vocab, 1], isLog: true, show: whole },
  top: { of: (c) => c.top[0]?.probability, ends: () => [0, 1], show: percent },
  entropy: { of: (c) => c.entropy, ends: (_, vocab) => [0, Math.log(vocab)], show: compact },
  norm: { of: (c) => c.norm, ends: upTo, show: compact },
  change: { of: (c) => c.change, ends: upTo, show: compact },
  kl: { of: (c) => c.versus?.kl, ends: upTo, show: compact, needsEdits: true },
  distance: { of: (c) => c.versus?.distance, ends: upTo, show: compact, needsEdits: true },
  broken: { of: (c) => c.broken, ends: upTo, show: whole },
  effect: { of: () => undefined, ends: () => [-1, 1], show: compact, needsTrial: true },
};

/** Measures that need no words: of an encoder's stream, and of models that give labels. */
const wordless: readonly MeasureId[] = ['norm', 'change', 'distance', 'broken'];

/** What is shown where no words are read: how much each layer changes it, in place of what needs words. */
export const wordlessMeasure = (chosen: MeasureId): MeasureId => (isWordless(chosen) ? chosen : 'change');
export const isWordless = (id: MeasureId): boolean => wordless.includes(id);

/** Where a number stands between the ends of a scale, from 0 to 1. */
export const onScale = (x: number, [low, high]: readonly [number, number], isLog = false): number => {
  const [a, b, c] = isLog ? [Math.log(x), Math.log(low), Math.log(high)] : [x, low, high];
  return b === c ? 0 : Math.min(1, Math.max(0, (a - b) / (c - b)));
};

/** Where the scale of a measure begins and ends on a board. */
export const endsOf = (board: Board, measure: Measure): readonly [number, number] => {
  let greatest = 0;
  for (const row of board.cells)
    for (const cell of row) greatest = Math.max(greatest, Math.abs((cell && measure.of(cell)) ?? 0));
  return measure.ends(greatest, board.vocab);
};

const signed = (show: (x: number) => string, x: number): string =>
  `${x < 0 ? '−' : x > 0 ? '+' : ''}${show(Math.abs(x)).replace('>', '')}`;

/** B's number less A's, of cells that have both; 0 is in the middle of its scale. */
export const differenceOf = (id: MeasureId): Measure => {
  const { of, show } = measures[id];
  return {
    of: (cell: PairedCell) => {
      const [a, b] = [of(cell), cell.other && of(cell.other)];
      return a === null || a === undefined || b === null || b === undefined ? undefined : b - a;
    },
    ends: (greatest) => (greatest > 0 ? [-greatest, greatest] : [-1, 1]),
    show: (x) => signed(show, x),
  };
};
