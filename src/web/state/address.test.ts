import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from './address.js';
import type { View } from './view.js';

const usual: View = {
  ...{
    measure: 'probability',
    tab: 'block',
    zoom: 0,
    side: 'a',
    oneScale: true,
    left: 0.5,
    drawer: 0.2,
    stopped: 0.5,
    trials: {},
    panels: {},
    theme: 'light',
    language: 'en',
  },
};
const state = {
  ...{ model: 'zoo:world', prompt: 'a & b = "c"\n', name: '', word: ' d' },
  edits: [{ text: 'drop head 3.0', on: true }],
};

describe('the address', () => {
  it('brings back what it kept', () => {
    const view: View = { ...usual, measure: 'entropy', tab: 'attention', theme: 'dark', left: 0.412 };
    const focus = { after: 'blocks.3', position: 14, head: 2 };
    const read = parseAddress(formatAddress({ state, focus, view }, usual));
    expect(read).toEqual({
      ...{ state, focus },
      view: { measure: 'entropy', tab: 'attention', theme: 'dark', left: 0.412 },
    });
  });

  it('brings back what is tried, without what is unset', () => {
    const view: View = { ...usual, trials: { corrupt: 'a\nb', kept: 0.8, wrong: undefined } };
    expect(parseAddress(formatAddress({ view }, usual)).view).toEqual({ trials: { corrupt: 'a\nb', kept: 0.8 } });
    expect(parseAddress('#try={"kept":7}').view).toEqual({});
  });

  it('brings back how panels are set, and nothing that they cannot be', () => {
    const panels = { attention: { of: 'rollout' as const, isHidden: true }, picture: 'time' as const, weight: 'a.b' };
    const view: View = { ...usual, panels };
    expect(parseAddress(formatAddress({ view }, usual)).view).toEqual({ panels });
    expect(parseAddress('#set={"picture":"<b>"}').view).toEqual({});
  });

  it('leaves out what is as usual', () => {
    expect(formatAddress({ view: usual }, usual)).toBe('#');
  });

  it.each(['', '#', '#s={', '#s={"model":1}', '#by=nonsense&theme=pink&left=7&zoom=-3&at=[]', '#%'])(
    'makes nothing of %s',
    (hash) => {
      expect(parseAddress(hash)).toEqual({ state: undefined, focus: undefined, view: {} });
    },
  );
});
