import { describe, expect, it } from 'vitest';
import { isSoundTable } from './precompiled.js';

/** A table of a trie and replacements, in base64. */
const tableOf = (units: Readonly<Record<number, number>>, replacements: string, length = 512): string => {
  const trie = new Uint32Array(length);
  for (const [at, unit] of Object.entries(units)) trie[Number(at)] = unit;
  const head = Uint32Array.of(trie.byteLength);
  return Buffer.concat([Buffer.from(head.buffer), Buffer.from(trie.buffer), Buffer.from(replacements)]).toString(
    'base64',
  );
};
/** A unit for a byte, with the distance to its children, and perhaps a replacement. */
const unit = (byte: number, offset: number, leaf = false): number => (byte | (offset << 10) | (leaf ? 0x100 : 0)) >>> 0;
const value = (at: number): number => (at | 0x80000000) >>> 0;

describe('a table of normalisations', () => {
  it('is sound when each walk stays in it and ends at a replacement', () => {
    expect(isSoundTable(tableOf({}, ''))).toBe(true);
    expect(isSoundTable(tableOf({ 0x61: unit(0x61, 256, true), 0x161: value(2) }, 'b\0é\0'))).toBe(true);
    expect(isSoundTable(tableOf({ 0x61: unit(0x61, 0) }, ''))).toBe(true); // round in a circle, but inside
  });

  it('is not when a walk leads out of it', () => {
    expect(isSoundTable(tableOf({}, '', 255))).toBe(false);
    expect(isSoundTable(tableOf({ 0: unit(0, 512) }, ''))).toBe(false);
    expect(isSoundTable(tableOf({ 0x61: unit(0x61, 100_000) }, ''))).toBe(false);
  });

  it('is not when a replacement begins past the end, or within a character', () => {
    const replacing = (at: number) => tableOf({ 0x61: unit(0x61, 256, true), 0x161: value(at) }, 'b\0é\0');
    expect([2, 3, 5, 6].map((at) => isSoundTable(replacing(at)))).toEqual([true, false, true, false]);
  });

  it.each(['', 'AAAA', '/////w==', '!', 'BAAAAAAAAAA='])('is not when it is %j', (text) => {
    expect(isSoundTable(text)).toBe(false);
  });

  it('is not when the replacements are no UTF-8', () => {
    const bytes = Buffer.from(tableOf({}, 'x'), 'base64');
    bytes[bytes.length - 1] = 0xff;
    expect(isSoundTable(bytes.toString('base64'))).toBe(false);
  });
});
