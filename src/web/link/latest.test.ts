import { describe, expect, it } from 'vitest';
import { makeLatest } from './latest.js';

/** Work that ends when it is told to; what was begun, and whether it was stopped. */
const held = () => {
  const begun: { input: number; signal: AbortSignal; end: () => void; fail: () => void }[] = [];
  const work = (input: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => begun.push({ input, signal, end: resolve, fail: () => reject(new Error('no')) }));
  return { begun, work };
};
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe('makeLatest', () => {
  it('runs one at a time, and of those that came meanwhile only the newest', async () => {
    const { begun, work } = held();
    const latest = makeLatest(work, () => undefined, { supersede: 'wait' });
    for (const input of [1, 2, 3]) latest.ask(input);
    expect(begun.map((b) => b.input)).toEqual([1]);
    begun[0]?.end();
    await settle();
    expect(begun.map((b) => b.input)).toEqual([1, 3]);
    expect(begun[0]?.signal.aborted).toBe(false);
  });

  it('stops what runs where it is told to, and tells no error of it', async () => {
    const { begun, work } = held();
    const errors: unknown[] = [];
    const latest = makeLatest(work, (error) => errors.push(error), { supersede: 'stop' });
    latest.ask(1);
    latest.ask(2);
    expect(begun[0]?.signal.aborted).toBe(true);
    begun[0]?.fail();
    await settle();
    expect(begun.map((b) => b.input)).toEqual([1, 2]);
    begun[1]?.fail();
    await settle();
    expect(errors).toHaveLength(1);
  });

  it('tells when it is busy', async () => {
    const { begun, work } = held();
    const told: boolean[] = [];
    const latest = makeLatest(work, () => undefined, { supersede: 'wait', busy: (b) => told.push(b) });
    latest.ask(1);
    begun[0]?.end();
    await settle();
    expect(told).toEqual([true, false]);
  });
});
