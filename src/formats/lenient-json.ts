/** A text that no config holds: it stands for NaN while JSON is parsed. */
const nan = '\u0000NaN';

/** A JSON string, or one of the constants that Python's json module writes though JSON has none. */
const stringsAndConstants = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

const written = (token: string): string => {
  if (token === 'NaN') return JSON.stringify(nan);
  if (token === 'Infinity') return '1e999'; // JSON.parse gives Infinity
  return token === '-Infinity' ? '-1e999' : token;
};

/**
 * JSON, and NaN, Infinity and -Infinity as Python writes them.
 * @throws SyntaxError
 */
export const parseLenientJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const standard = text.replaceAll(stringsAndConstants, written);
    if (standard === text) throw error;
    return JSON.parse(standard, (_, value: unknown) => (value === nan ? NaN : value));
  }
};
