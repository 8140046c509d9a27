import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkExport, tableExport, writeExport } from './index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-exports-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const table = {
  columns: ['name', 'value'],
  rows: [
    ['1.0', -2.5],
    ['a "quoted", text', 3],
    ['=1+1', 4],
  ],
  grid: { title: 'parts <of> it', cells: [{ row: '1', column: '0', value: -2.5 }] },
};
const context = { signal: new AbortController().signal, note: () => undefined };
const written = async (name: string): Promise<string> => {
  await writeExport(path.join(folder, name), tableExport(table), context);
  return readFileSync(path.join(folder, name), 'utf8');
};

describe('a result in a file', () => {
  it('is a table in CSV, with what needs it quoted, and no formula', async () => {
    expect(await written('a.csv')).toBe('name,value\r\n1.0,-2.5\r\n"a ""quoted"", text",3\r\n\'=1+1,4\r\n');
  });

  it('is a list of objects in JSON', async () => {
    expect(JSON.parse(await written('a.json'))).toEqual([
      { name: '1.0', value: -2.5 },
      { name: 'a "quoted", text', value: 3 },
      { name: '=1+1', value: 4 },
    ]);
  });

  it('is a picture in SVG, in which no text is markup', async () => {
    const svg = await written('a.SVG');
    expect(svg).toMatch(/^<svg [^>]*>/);
    expect(svg).toContain('parts &#60;of&#62; it');
    expect(svg).toContain('1.0: -2.500');
  });

  it('is refused before any work where the ending says no form, or the folder is missing', async () => {
    await expect(checkExport(path.join(folder, 'a.pdf'))).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
    const nowhere = path.join(folder, 'no', 'a.csv');
    await expect(checkExport(nowhere)).rejects.toMatchObject({ info: { code: 'OUT_UNWRITABLE' } });
    await checkExport(undefined);
  });
});
