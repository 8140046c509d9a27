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

/** Whether a table, in base64, can be walked safely. The library does not look, and would abort the process. */
export const isSoundTable = (base64: string): boolean => {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const trieBytes = new DataView(bytes.buffer).getUint32(0, true);
    if (trieBytes === 0 || trieBytes % 4 !== 0 || trieBytes > bytes.length - 4) return false;
    const replacements = bytes.subarray(4 + trieBytes);
    new TextDecoder('utf-8', { fatal: true }).decode(replacements);
    return isClosed(new Uint32Array(bytes.slice(4, 4 + trieBytes).buffer), replacements);
  } catch {
    return false;
  }
};
