import { describe, expect, it } from 'vitest';
import type { TargetState } from '../../protocol/index.js';
import { isOffered, runActions } from './debugging.js';

const at = (step: number, op: number): TargetState => ({
  ...{ revision: 1, position: { step, at: 0, op }, frames: [], tokens: [], edits: [] },
});
const offered = (view: Parameters<typeof isOffered>[1]) => runActions.filter((action) => isOffered(action, view));

describe('what can be done with a run', () => {
  it('is to begin one where none is open', () => {
    expect(offered({ phase: 'off' })).toEqual(['continue', 'step', 'stepIn']);
    expect(offered({ phase: 'opening' })).toEqual([]);
  });

  it('is to pause or end one that goes on', () => {
    expect(offered({ phase: 'running', state: at(0, 3) })).toEqual(['pause', 'restart', 'stop']);
  });

  it('is to go on, and back unless it stands at the beginning', () => {
    expect(offered({ phase: 'stopped', state: at(0, 0) })).not.toContain('stepBack');
    expect(offered({ phase: 'stopped', state: at(0, 1) })).toEqual(runActions.filter((action) => action !== 'pause'));
    expect(offered({ phase: 'stopped', state: at(1, 0) })).toContain('reverse');
  });
});
