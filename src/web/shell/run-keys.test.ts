import { describe, expect, it } from 'vitest';
import { letterOf, runKeyOf, runKeys } from './run-keys.js';

const none = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

describe('keys of the run', () => {
  it.each([
    [{ key: 'F5' }, 'continue'],
    [{ key: 'F5', shiftKey: true }, 'stop'],
    [{ key: 'F5', shiftKey: true, ctrlKey: true }, 'restart'],
    [{ key: 'F10' }, 'step'],
    [{ key: 'F10', altKey: true }, 'step'],
    [{ key: 'F10', ctrlKey: true }, 'stepBack'],
    [{ key: 'F10', metaKey: true }, 'stepBack'],
    [{ key: 'F11', shiftKey: true }, 'stepOut'],
    [{ key: 'F9' }, 'breakpoint'],
    [{ key: 'F9', shiftKey: true }, undefined],
    [{ key: 'c' }, undefined],
  ])('%j', (pressed, action) => expect(runKeyOf({ ...none, ...pressed })).toBe(action));

  it('mean one thing each', () => {
    const all = Object.values(runKeys).flat();
    expect(new Set(all).size).toBe(all.length);
  });

  it('are letters in the listing, capitals back', () => {
    expect(letterOf({ ...none, key: 'n' })).toBe('step');
    expect(letterOf({ ...none, key: 'N', shiftKey: true })).toBe('stepBack');
    expect(letterOf({ ...none, key: 'c', ctrlKey: true })).toBeUndefined();
  });
});
