/**
 * A table of normalisations as SentencePiece compiles it: the length in bytes (u32) of a double-array trie, the trie
 * (u32 units), and the replacements, each ended by a zero byte.
 * @source Yata 2007, darts-clone: the layout of a unit; spm_precompiled 0.1.4: how it is walked
 */

const label = (unit: number): number => unit & 0x800000ff;
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const childOffset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

const isCharacterStart = (text: Uint8Array, at: number): boolean =>
  at === text.length || (at < text.length && (text[at] ?? 0) >> 6 !== 0b10);

/** Whether every walk from the root stays inside the trie and ends at a replacement. */
const isClosed = (trie: Uint32Array, replacements: Uint8Array): boolean => {
  const seen = new Uint8Array(trie.length);
  const bases = [childOffset(trie[0] ?? 0)];
  for (let base = bases.pop(); base !== undefined; base = bases.pop()) {
    if (base < 0 || (base | 0xff) >= trie.length) return false; // its children differ from it in the last 8 bits
    if (seen[base]) continue;
    seen[base] = 1;
    for (let byte = 1; byte < 256; byte++) {
      const unit = trie[base ^ byte] ?? 0;
      if (label(unit) !== byte) continue;
      const next = base ^ byte ^ childOffset(unit);
      if (hasLeaf(unit) && !isCharacterStart(replacements, (trie[next] ?? 0) & 0x7fffffff)) return false;
      bases.push(next);
    }
  }
  return true;
};

interface Table {
  readonly trie: Uint32Array;
  /** UTF-8, each ended by a zero byte. */
  readonly replacements: Uint8Array;
}

/** Undefined where the table cannot be walked safely. */
const parseTable = (bytes: Uint8Array): Table | undefined => {
  if (bytes.length < 4) return undefined;
  const trieBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (trieBytes === 0 || trieBytes % 4 !== 0 || trieBytes > bytes.length - 4) return undefined;
  const replacements = bytes.slice(4 + trieBytes);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(replacements);
  } catch {
    return undefined;
  }
  const trie = new Uint32Array(bytes.slice(4, 4 + trieBytes).buffer);
  return isClosed(trie, replacements) ? { trie, replacements } : undefined;
};

/** Whether a table, in base64, can be walked safely. The library does not look, and would abort the process. */
export const isSoundTable = (base64: string): boolean => {
  try {
    return parseTable(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))) !== undefined;
  } catch {
    return false;
  }
};

/** What stands in a text's place, and how many bytes of the text it stands for. */
export interface Replacement {
  readonly text: string;
  readonly sizeBytes: number;
}

/** The longest entry of a table that a text in UTF-8 begins with at a place. */
export type Replacements = (text: Uint8Array, at: number) => Replacement | undefined;

/** A table to be looked up in; undefined where it is damaged. */
export const openTable = (bytes: Uint8Array): Replacements | undefined => {
  const table = parseTable(bytes);
  if (!table) return undefined;
  const { trie, replacements } = table;
  const texts = new Map<number, string>();
  const textAt = (start: number): string => {
    const end = replacements.indexOf(0, start);
    const text = new TextDecoder().decode(replacements.subarray(start, end < 0 ? undefined : end));
    texts.set(start, text);
    return text;
  };
  return (text, at) => {
    let found: Replacement | undefined;
    let base = childOffset(trie[0] ?? 0);
    for (let i = at; i < text.length; i++) {
      const byte = text[i] ?? 0;
      const unit = trie[base ^ byte] ?? 0;
      if (byte === 0 || label(unit) !== byte) break;
      base ^= byte ^ childOffset(unit);
      if (!hasLeaf(unit)) continue;
      const start = (trie[base] ?? 0) & 0x7fffffff;
      found = { text: texts.get(start) ?? textAt(start), sizeBytes: i + 1 - at };
    }
    return found;
  };
};
