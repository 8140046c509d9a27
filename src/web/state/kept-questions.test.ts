import { describe, expect, it } from 'vitest';
import type { PageMessage } from '../../protocol/index.js';
import { makeKeptQuestions } from './kept-questions.js';

describe('questions for kept answers', () => {
  it('get the answer of their id, in any order', async () => {
    const sent: PageMessage[] = [];
    const questions = makeKeptQuestions((message) => sent.push(message));
    const both = [questions.ask('patch', { prompt: 'a' }), questions.ask('attack', { prompt: 'b' })];
    const [first, second] = sent.map((message) => ('id' in message ? message.id : 0));
    questions.hear({ type: 'kept', id: second ?? 0, result: 2 });
    questions.hear({ type: 'kept', id: first ?? 0 });
    expect(await Promise.all(both)).toEqual([undefined, 2]);
    expect(sent[0]).toMatchObject({ type: 'kept', asked: 'patch', params: { prompt: 'a' } });
  });

  it('are over when the connection is', async () => {
    const questions = makeKeptQuestions(() => undefined);
    const asked = questions.ask('circuit', {});
    questions.lost();
    expect(await asked).toBeUndefined();
  });
});
