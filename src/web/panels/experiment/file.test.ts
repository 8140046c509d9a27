import { describe, expect, it } from 'vitest';
import { en } from '../../i18n/en.js';
import { mistakeIn, ofFile, toFile } from './file.js';

const edits = [
  { text: 'drop head 3.0', on: true },
  { text: 'scale blocks.1.attn.z[head=2] by 0.5', on: true },
];

describe('an experiment as a file', () => {
  it('comes back as it was saved, with its model', () => {
    expect(ofFile(toFile({ name: 'mine', edits }, 'sha256:abc'))).toEqual({
      ...{ name: 'mine', edits, fingerprint: 'sha256:abc' },
    });
  });

  it('has no edit that is off', () => {
    const off = edits.map((e, i) => ({ ...e, on: i === 1 }));
    expect(ofFile(toFile({ name: '', edits: off }, 'x')).edits).toEqual([edits[1]]);
  });

  it('can be lines of text', () => {
    expect(ofFile('# two\ndrop head 3.0\n\nskip layer 1\n').edits.map((e) => e.text)).toEqual([
      'drop head 3.0',
      'skip layer 1',
    ]);
  });

  it.each(['{"experiment": 2}', '{', 'drop heads 3.0'])('is refused where it is none: %s', (text) => {
    expect(() => ofFile(text)).toThrow();
  });
});

describe('mistakeIn', () => {
  it('says what is wrong, and where', () => {
    expect(mistakeIn('drop head 3.0', en)).toBeUndefined();
    expect(mistakeIn('drop head three', en)).toMatch(/column 11/);
  });
});
