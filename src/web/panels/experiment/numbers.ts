/** The number of an edit that a slider can move, and where in its text it stands. */
export interface EditNumber {
  readonly value: number;
  readonly from: number;
  readonly to: number;
  /** Ends of the slider. */
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** The slider moves its logarithm: for numbers of which the size matters. */
  readonly isLog?: true;
}

const number = '[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?';

interface Form {
  readonly pattern: RegExp;
  readonly range: (value: number) => Pick<EditNumber, 'least' | 'most' | 'step' | 'isLog'>;
}

/** Symmetric, wide enough for the number that is there. */
const around = (value: number, usual: number) => {
  const most = Math.max(usual, 2 * Math.abs(value));
  return { least: -most, most, step: most / 100 };
};

/** Kinds of edits with a number that is worth moving; `d` gives its place. */
const forms: readonly Form[] = [
  {
    pattern: new RegExp(`^scale .* by (${number})(?: |$)`, 'd'),
    range: (v) => ({ least: -1, most: Math.max(3, 2 * v), step: 0.01 }),
  },
  { pattern: new RegExp(`^add (${number}) \\*`, 'd'), range: (v) => around(v, 20) },
  { pattern: new RegExp(`^set (?!grad).* = (${number})(?: |$)`, 'd'), range: (v) => around(v, 5) },
  {
    pattern: new RegExp(`^weight .* \\*= (${number})$`, 'd'),
    range: (v) => ({ least: 0, most: Math.max(3, 2 * v), step: 0.01 }),
  },
  {
    pattern: new RegExp(`^temperature (${number})$`, 'd'),
    range: (v) => ({ least: 0, most: Math.max(2, v), step: 0.01 }),
  },
  { pattern: new RegExp(`^top-p (${number})$`, 'd'), range: () => ({ least: 0.01, most: 1, step: 0.01 }) },
  { pattern: new RegExp(`^min-p (${number})$`, 'd'), range: () => ({ least: 0, most: 1, step: 0.01 }) },
  { pattern: new RegExp(`^top-k (\\d+)$`, 'd'), range: (v) => ({ least: 1, most: Math.max(100, v), step: 1 }) },
  {
    pattern: new RegExp(`^repetition-penalty (${number})$`, 'd'),
    range: (v) => ({ least: 0.5, most: Math.max(2, v), step: 0.01 }),
  },
  // An epsilon or a base of rotation changes little until it is some times as large.
  {
    pattern: new RegExp(`^config \\w*(?:eps|epsilon|theta|base|base_freq) = (${number})$`, 'd'),
    range: (v) =>
      v > 0 ? { least: v / 1e4, most: v * 1e4, step: 0.02, isLog: true } : { least: 0, most: 1, step: 0.01 },
  },
  {
    pattern: new RegExp(`^config \\w+ = (${number})$`, 'd'),
    range: (v) => ({ least: 0, most: v === 0 ? 1 : 4 * Math.abs(v), step: Math.abs(v === 0 ? 1 : v) / 50 }),
  },
];

/** Undefined where an edit has no number to move. */
export const numberIn = (text: string): EditNumber | undefined => {
  for (const { pattern, range } of forms) {
    const [place, digits] = [pattern.exec(text)?.indices?.[1], pattern.exec(text)?.[1]];
    if (!place || digits === undefined) continue;
    const value = Number(digits);
    return { value, from: place[0], to: place[1], ...range(value) };
  }
  return undefined;
};

/** The edit with another number in its place. */
export const withNumber = (text: string, { from, to }: Pick<EditNumber, 'from' | 'to'>, value: number): string =>
  text.slice(0, from) + String(Number(value.toPrecision(4))) + text.slice(to);
