import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gridsSvg } from './index.js';
import { pngOf } from './png.node.js';

interface Image {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue at a place. */
  at(x: number, y: number): readonly number[];
}

const paeth = (a: number, b: number, c: number): number => {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
};

/** RGBA of 8 bits. @source PNG (ISO/IEC 15948), 9.2 */
const decoded = (png: Uint8Array): Image => {
  const bytes = Buffer.from(png);
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\u0089PNG\r\n\u001a\n');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  expect([bytes[24], bytes[25]]).toEqual([8, 6]);
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at))
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(parts));
  const line = 4 * width;
  const pixels = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++)
    for (let i = 0; i < line; i++) {
      const a = i < 4 ? 0 : (pixels[y * line + i - 4] ?? 0);
      const b = y === 0 ? 0 : (pixels[(y - 1) * line + i] ?? 0);
      const c = i < 4 || y === 0 ? 0 : (pixels[(y - 1) * line + i - 4] ?? 0);
      const guess = [0, a, b, (a + b) >> 1, paeth(a, b, c)][raw[y * (line + 1)] ?? 0] ?? 0;
      pixels[y * line + i] = (raw[y * (line + 1) + 1 + i] ?? 0) + guess;
    }
  return { width, height, at: (x, y) => [...pixels.subarray(y * line + 4 * x, y * line + 4 * x + 3)] };
};

const hex = (text: string): number[] => [1, 3, 5].map((i) => Number.parseInt(text.slice(i, i + 2), 16));

describe('a picture as PNG', () => {
  const svg = gridsSvg('effects', [{ rows: ['a'], columns: ['x', 'y', 'z'], values: [[1, -1, null]] }]);
  const notes: string[] = [];
  const image = pngOf(svg, (text) => notes.push(text)).then(decoded);

  it('has two pixels for each of the SVG', async () => {
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    expect([(await image).width, (await image).height]).toEqual([2 * Number(width), 2 * Number(height)]);
  });

  it('has the colours of the cells', async () => {
    const cells = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="23" height="23" fill="(#\w+)">/g)];
    expect(cells).toHaveLength(3);
    for (const [, x, y, fill] of cells)
      expect((await image).at(2 * Number(x) + 23, 2 * Number(y) + 23)).toEqual(hex(fill ?? ''));
  });

  it('has its title in letters', async () => {
    const { width, at } = await image;
    const ink = (rows: readonly number[]) =>
      rows.reduce((sum, y) => sum + Array.from({ length: width }, (_, x) => at(x, y)[0] ?? 255).filter((r) => r < 100).length, 0); // prettier-ignore
    const lines = Array.from({ length: 24 }, (_, i) => 18 + i);
    expect(ink(lines)).toBeGreaterThan(200); // seven bold letters of 26 pixels
    expect(ink([2, 4, 6])).toBe(0);
    expect(notes).toEqual([]);
  });
});
