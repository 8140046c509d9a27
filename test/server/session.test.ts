/** One session for several pages: who changes what, undo, the journal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentState } from '../../src/protocol/index.js';
import { Session, stateIn } from '../../src/server/session.js';
import { openJournal } from '../../src/service/host/index.js';

const start: ExperimentState = { model: 'zoo:world', prompt: 'a', name: '', edits: [] };
const edit = (text: string) => ({ text, on: true });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-session-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a session', () => {
  it('goes back and forth over changes', () => {
    const session = new Session(start);
    session.change({ prompt: 'b' });
    session.change({ edits: [edit('skip layer 1')] });
    session.undo();
    expect(session.standing).toMatchObject({ state: { prompt: 'b', edits: [] }, canUndo: true, canRedo: true });
    session.redo();
    expect(session.standing.state.edits).toEqual([edit('skip layer 1')]);
    session.undo();
    session.undo();
    session.undo();
    expect(session.standing).toMatchObject({ state: start, canUndo: false, canRedo: true });
  });

  it('forgets what was undone when something else is done', () => {
    const session = new Session(start);
    session.change({ prompt: 'b' });
    session.undo();
    session.change({ prompt: 'c' });
    expect(session.standing.canRedo).toBe(false);
  });

  it('takes a gesture as one step, and the next one as another', () => {
    const session = new Session(start);
    for (const x of [0.1, 0.2, 0.3]) session.change({ edits: [edit(`temperature ${x}`)] }, 'slider 1');
    session.change({ edits: [edit('temperature 0.9')] }, 'slider 2');
    session.undo();
    expect(session.standing.state.edits).toEqual([edit('temperature 0.3')]);
    session.undo();
    expect(session.standing.state.edits).toEqual([]);
  });

  it('takes a field away by null, and keeps what is left out', () => {
    const session = new Session({ ...start, word: ' b', target: 'x' });
    session.change({ word: null });
    expect(session.standing.state).toEqual({ ...start, target: 'x' });
  });

  it('leaves breakpoints as they are when it goes back', () => {
    const debug = { points: [{ id: 1, on: true, line: 3 }], watches: ['prob(1)'], caught: [] };
    const session = new Session(start);
    session.change({ prompt: 'b' });
    session.change({ debug });
    session.undo();
    expect(session.standing).toMatchObject({ state: { prompt: 'a', debug }, canUndo: false, canRedo: true });
    session.redo();
    expect(session.standing.state).toEqual({ ...start, prompt: 'b', debug });
  });

  it('drops breakpoints at lines where the model is another', () => {
    const points = [
      { id: 1, on: true, line: 3 },
      { id: 2, on: true, layer: 1 },
    ];
    const session = new Session({ ...start, debug: { points, watches: [], caught: ['nan'] } });
    session.change({ model: 'zoo:other' });
    expect(session.standing.state.debug).toEqual({ points: [points[1]], watches: [], caught: ['nan'] });
    session.undo();
    expect(session.standing.state.debug?.points).toEqual(points);
  });

  it('counts no change that changes nothing', () => {
    const session = new Session(start);
    session.change({ prompt: 'a' });
    expect(session.standing.canUndo).toBe(false);
  });

  it('forgets the focus where the text is another', () => {
    const session = new Session(start);
    session.look({ after: 'blocks.1', position: 3 });
    session.change({ edits: [edit('skip layer 1')] });
    expect(session.standing.focus).not.toBeNull();
    session.change({ prompt: 'b' });
    expect(session.standing.focus).toBeNull();
  });

  it('is in the journal, and comes back from it', async () => {
    const file = path.join(folder, 'session.journal');
    const journal = await openJournal(file);
    const session = new Session(start, journal);
    session.change({ prompt: 'b', edits: [edit('skip layer 1')] });
    await session.save();
    await journal.dispose();
    const again = await openJournal(file);
    expect(stateIn(again)).toEqual(session.standing.state);
    expect(new Session(start, again).models).toEqual(['zoo:world']);
    await again.dispose();
  });
});
