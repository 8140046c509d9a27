/** What is told of models that give labels, where others have words. */
import { describe, expect, it } from 'vitest';
import { knockoutInput, lensInput, runInput, type RunResult } from '../src/protocol/index.js';
import { knockout, lens, run } from '../src/service/index.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const judge = { model: 'zoo:judge-sentiment', prompt: 'The soup was awful.' };

const labelsWith = async (edits: readonly string[]) => {
  const input = runInput.parse({ ...judge, edits: edits.map((text) => ({ text })) });
  return ((await run.run(input, context)) as RunResult).labels ?? [];
};

describe('a model that gives labels', () => {
  it('has a stream with lengths and changes, and no words on the way', async () => {
    const read = (more: object) => lens.run(lensInput.parse({ ...judge, ...more }), context);
    await expect(read({})).rejects.toMatchObject({ info: { code: 'METHOD_UNFIT' } });
    const { rows, tokens, words } = await read({ wordless: true, versus: [], edits: [{ text: 'drop head 1.0' }] });
    expect(rows.map((row) => row.after)).toEqual(['embed', 'blocks.0', 'blocks.1', 'blocks.2', 'blocks.3']);
    expect(words).toEqual([]);
    for (const { cells } of rows) {
      expect(cells).toHaveLength(tokens.length);
      for (const cell of cells) expect([cell.top, cell.words, cell.entropy]).toEqual([[], [], null]);
      for (const cell of cells) expect(cell.norm).toBeGreaterThan(0);
    }
    const distances = rows.map((row) => Math.max(...row.cells.map((cell) => cell.versus?.distance ?? NaN)));
    expect(distances.slice(0, 2)).toEqual([0, 0]);
    expect(distances[2]).toBeGreaterThan(0);
  });

  it('is tried without each part of a layer: labels by number or by name, told by their names', async () => {
    const tried = (word: string | number) =>
      knockout.run(knockoutInput.parse({ ...judge, layer: 3, words: [word] }), context);
    const [byName, byNumber] = [await tried('negative'), await tried(0)];
    expect(byName).toEqual(byNumber);
    expect(byName.base.top.text).toBe('negative');
    const part = byName.parts.find((p) => p.part === 'mlp');
    const [expected] = (await labelsWith([part?.edit ?? ''])).filter((label) => label.text === 'negative');
    expect(part?.words[0]?.text).toBe('negative');
    expect(part?.words[0]?.probability).toBeCloseTo(expected?.probability ?? NaN, 6);
    await expect(tried('no such label')).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
  });
});
