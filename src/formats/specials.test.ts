import { expect, it } from 'vitest';
import { eosIds } from './index.js';

it('takes the ids that end a text from generation_config.json, a number or a list', () => {
  expect(eosIds({ eos_token_id: 9 }, { eos_token_id: [1, 2] })).toEqual([1, 2]);
  expect(eosIds({ eos_token_id: 9 }, { eos_token_id: 0 })).toEqual([0]);
});

it('takes them from config.json where generation_config.json has none', () => {
  expect(eosIds({ eos_token_id: 9 }, { eos_token_id: null })).toEqual([9]);
  expect(eosIds({ eos_token_id: [3, 4] }, undefined)).toEqual([3, 4]);
});

it('knows none where neither names one, or names what is no id', () => {
  expect(eosIds({})).toEqual([]);
  expect(eosIds({ eos_token_id: '</s>' }, { eos_token_id: -1 })).toEqual([]);
});
