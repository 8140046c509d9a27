import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal, type JournalEntry } from './journal.js';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-journal-'));
  file = path.join(folder, 'journal.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const edit: JournalEntry = { kind: 'edit', data: { text: 'skip layer 3\n"é"' } };
const breakpoint: JournalEntry = { kind: 'breakpoint', data: ['blocks.3.**', null] };

const written = async (...entries: JournalEntry[]): Promise<void> => {
  const journal = await openJournal(file);
  for (const entry of entries) await journal.append(entry);
  await journal.dispose();
};

const reopened = async () => {
  const journal = await openJournal(file);
  const { notes } = journal;
  const entries = journal.entries();
  await journal.dispose();
  return { entries, notes };
};

describe('a journal', () => {
  it('has what was appended, also when it is opened again', async () => {
    await written(edit);
    await written(breakpoint);
    expect(await reopened()).toEqual({ entries: [edit, breakpoint], notes: [] });
    expect(readFileSync(file, 'utf8').split('\n').length).toBe(4);
  });

  it('is on the disk when append resolves', async () => {
    const journal = await openJournal(file);
    await journal.append(edit);
    expect(readFileSync(file, 'utf8')).toContain('skip layer 3');
    await journal.dispose();
  });

  it('keeps the order of entries that are appended at the same time', async () => {
    const journal = await openJournal(file);
    const entries = Array.from({ length: 20 }, (_, n) => ({ kind: 'n', data: n }));
    await Promise.all(entries.map((entry) => journal.append(entry)));
    await journal.dispose();
    expect((await reopened()).entries).toEqual(entries);
  });

  it('recovers wherever a crash tore the last line', async () => {
    await written(edit, breakpoint);
    const whole = readFileSync(file);
    const first = whole.indexOf('\n') + 1;
    const second = whole.indexOf('\n', first) + 1;
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      await written({ kind: 'later', data: 1 });
      const kept = [...(length >= second ? [edit] : []), ...(length === whole.length ? [breakpoint] : [])];
      const { entries, notes } = await reopened();
      expect([length, entries, notes]).toEqual([length, [...kept, { kind: 'later', data: 1 }], []]);
    }
  });

  it('tells what it left out', async () => {
    await written(edit);
    appendFileSync(file, 'garbage\n{"kind":1}\n{"kind":"edit","data":2}\n{"kind":"to');
    const { entries, notes } = await reopened();
    expect(entries).toEqual([edit, { kind: 'edit', data: 2 }]);
    expect(notes).toEqual([
      'line 3 is damaged and left out',
      'line 4 is damaged and left out',
      'the last line was not written whole and is left out',
    ]);
  });

  it('leaves a file alone that is none', async () => {
    for (const content of ['a diary', 'a diary\n', '{"journal":2}\n{"kind":"edit","data":1}\n']) {
      writeFileSync(file, content);
      await expect(openJournal(file)).rejects.toMatchObject({ info: { code: 'FILE_UNREADABLE' } });
      expect(readFileSync(file, 'utf8')).toBe(content);
    }
    await expect(openJournal(folder)).rejects.toMatchObject({ info: { code: 'FILE_UNREADABLE' } });
  });
});
