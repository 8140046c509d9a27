import { describe, expect, it } from 'vitest';
import { compact, hundredths, percent } from './numbers.js';
import { shortened, visible } from './token-text.js';

describe('numbers', () => {
  it.each([
    [0, '0 %'],
    [1, '100.0 %'],
    [0.9997, '>99.9 %'],
    [0.984, '98.4 %'],
    [0.0046, '0.46 %'],
    [0.00014, '0.014 %'],
    [1e-9, '<0.001 %'],
    [null, '–'],
  ])('%d as percent is %s', (p, text) => expect(percent(p)).toBe(text));

  it.each([
    [0, '0'],
    [-0.0421, '−0.042'],
    [74.26, '74.3'],
    [1234.5, '1235'],
    [3.4e38, '3.4e+38'],
    [NaN, 'NaN'],
    [-Infinity, '−∞'],
  ])('%d in short is %s', (x, text) => expect(compact(x)).toBe(text));
});

describe('tokens', () => {
  it.each([
    [' a\n', '·a⏎'],
    ['', '∅'],
    ['\u001b[2J', '⟨0x1B⟩[2J'],
    ['a\u202eb', 'a⟨0x202E⟩b'],
    ['<0xE4>', '⟨0xE4⟩'],
  ])('%j shows as %s', (text, shown) => expect(visible(text)).toBe(shown));

  it('are cut with a mark, never in the middle of a character', () => {
    expect(shortened(' market', 5)).toBe('·mar…');
    expect(shortened('🦙🦙🦙', 2)).toBe('🦙…');
  });
});

describe('a probability in hundredths', () => {
  it.for([
    [0, '0'],
    [1e-7, '<.001'],
    [0.00004, '.004'],
    [0.0026, '.260'],
    [0.0512, '5.12'],
    [0.1234, '12.3'],
    [0.99999, '>99.9'],
    [1, '100'],
  ] as const)('%d', ([p, text]) => {
    expect(hundredths(p)).toBe(text);
    expect(text.length).toBeLessThanOrEqual(5);
  });
});
