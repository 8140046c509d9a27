/** Where a token was found, in code points, and whether the template put it in. */
export interface FoundToken {
  readonly start: number;
  readonly end: number;
  readonly added: boolean;
}

const hasPairs = /[\ud800-\udbff][\udc00-\udfff]/;

/** From an index in code points to one in UTF-16. A lone surrogate is a code point of its own. */
const utf16Index = (text: string): ((codePoint: number) => number) => {
  if (!hasPairs.test(text)) return (index) => index;
  const starts = new Uint32Array(text.length + 1);
  let count = 0;
  let at = 0;
  for (const character of text) {
    starts[count++] = at;
    at += character.length;
  }
  starts[count] = at;
  return (index) => starts[Math.min(index, count)] ?? at;
};

/** The place of each token that a template put in: where the next token of the text begins, or the text's end. */
const insertionPoints = (tokens: readonly FoundToken[], length: number): number[] => {
  let next = length;
  const points = tokens.map(() => 0);
  for (let i = tokens.length - 1; i >= 0; i--) {
    const token = tokens[i];
    if (token && !token.added) next = token.start;
    points[i] = next;
  }
  const first = tokens.findIndex((token) => !token.added);
  return points.map((point, i) => (first < 0 || i < first ? 0 : point));
};

/** The places of tokens in UTF-16, of those that a template put in too. */
export const placeTokens = (text: string, tokens: readonly FoundToken[]): readonly (readonly [number, number])[] => {
  const index = utf16Index(text);
  const places = tokens.map(({ start, end, added }) => ({ start: index(start), end: index(end), added }));
  const points = insertionPoints(places, text.length);
  return places.map(({ start, end, added }, i) => (added ? [points[i] ?? 0, points[i] ?? 0] : [start, end]));
};
