import { describe, expect, it } from 'vitest';
import { parseEdits } from '../../../language/index.js';
import { changeText, openKey } from './change.js';

describe('a value that is set', () => {
  it.each([
    ['blocks.0.attn.z[position=3, head=1]', '0.5', 'set blocks.0.attn.z[position=3, head=1] = 0.5 at step 2'],
    ['blocks.0.attn.z', ' zero ', 'set blocks.0.attn.z = zero at step 2'],
    ['blocks.0.attn.z', '*0.5', 'scale blocks.0.attn.z by 0.5 at step 2'],
    ['weight model.norm.weight[model=3]', '1', 'weight model.norm.weight[model=3] = 1'],
    ['weight model.norm.weight', '* 2', 'weight model.norm.weight *= 2'],
  ])('%s to %s', (place, value, text) => {
    expect(changeText(place, value, 2)).toBe(text);
    expect(parseEdits(text)).toHaveLength(1);
  });
});

describe('what is open', () => {
  it('is so in every layer', () => {
    expect(openKey(['op', 'sites', 'blocks.3.attn.z', '[0]'])).toBe(
      openKey(['op', 'sites', 'blocks.11.attn.z', '[0]']),
    );
    expect(openKey(['blocks.3.attn.z'])).not.toBe(openKey(['blocks.3.attn.v']));
  });
});
