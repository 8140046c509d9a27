import { describe, expect, it } from 'vitest';
import { parseEdits } from '../../../language/index.js';
import { offersOf, subjects, type Place } from './offers.js';

const place: Place = {
  ...{ after: 'blocks.3', position: 5, head: 2, layers: 7, hasTokenizer: true },
  ...{ word: { id: 4, text: ' a"b' }, other: { id: 5, text: ' c' } },
  weights: ['model.layers.3.mlp.up_proj.weight', 'model.layers.33.mlp.up_proj.weight', 'odd name.3.weight'],
  config: { rms_norm_eps: 1e-5, rope_theta: 10_000, hidden_size: 128 },
};
const edits = (of: Place) => subjects.flatMap((subject) => offersOf(subject, of).map((o) => o.edit));

describe('what is offered to change', () => {
  it.for([
    ['a layer', place],
    ['a decoder', { ...place, after: 'decoder.blocks.1', layers: 3 }],
    ['the embedding', { ...place, after: 'embed', head: undefined }],
    ['a model without a tokenizer', { ...place, hasTokenizer: false }],
  ] as const)('is edits, each by itself: %s', ([, of]) => {
    const texts = edits(of);
    expect(texts.length).toBeGreaterThan(4);
    for (const text of texts) expect(parseEdits(text), text).toHaveLength(1);
  });

  it('is of what is in focus', () => {
    expect(offersOf('head', place).map((o) => o.edit)).toContain('drop head 3.2');
    expect(offersOf('head', { ...place, head: undefined })).toEqual([]);
    expect(offersOf('layer', { ...place, after: 'decoder.blocks.1' }).map((o) => o.edit)).toContain(
      'skip layer decoder.1',
    );
    expect(offersOf('layer', { ...place, after: 'embed' })).toEqual([]);
    expect(offersOf('weight', place).map((o) => o.arguments[0])).toEqual([
      'model.layers.3.mlp.up_proj.weight',
      'odd name.3.weight',
    ]);
  });

  it('swaps no last layer with one behind it', () => {
    const names = offersOf('layer', { ...place, after: 'blocks.6' }).map((o) => o.name);
    expect(names).not.toContain('swap');
  });

  it('has the epsilon and the base that the config has', () => {
    expect(offersOf('model', place).map((o) => o.edit)).toEqual([
      'config rms_norm_eps = 0.00001',
      'config rope_theta = 10000',
      'temperature 0.8',
      'replace activation with gelu',
    ]);
  });

  it('names words of a model without a tokenizer by their ids', () => {
    const steer = offersOf('token', { ...place, hasTokenizer: false }).find((o) => o.name === 'steer');
    expect(steer?.edit).toContain('direction(4 - 5)');
  });
});
