import { describe, expect, it } from 'vitest';
import { unusual, withPanel, withUsual } from './panel-settings.js';

const usual = { as: 'map', isHidden: false, chosen: [] as readonly number[] };

describe('the settings of panels', () => {
  it('are kept where they are not as usual', () => {
    expect(unusual({ ...usual, isHidden: true }, usual)).toEqual({ isHidden: true });
    expect(unusual({ ...usual, chosen: [1] }, usual)).toEqual({ chosen: [1] });
    expect(unusual({ ...usual, chosen: [] }, usual)).toEqual({});
  });

  it('of a panel take the place of its others; a panel that is as usual again is left out', () => {
    const all = { weight: 'a', attribution: { method: 'lime' as const } };
    expect(withPanel(all, { attribution: {} })).toEqual({ weight: 'a' });
    expect(withPanel(all, { picture: 'skip' })).toEqual({ ...all, picture: 'skip' });
  });

  it('are as usual where nothing is given', () => {
    expect(withUsual(usual, { as: undefined, isHidden: true })).toEqual({ ...usual, isHidden: true });
  });
});
