import { expect, it } from 'vitest';
import { piecesOf } from './chat-pieces.js';

it('a rendered chat is cut at its special tokens, and nothing of it is lost', () => {
  const text = '<|im_start|>user\nHi<|im_end|>';
  const token = (start: number, end: number, special: boolean) => ({ id: 1, text: '', start, end, special });
  const pieces = piecesOf(text, [token(0, 12, true), token(12, 17, false), token(17, 19, false), token(19, 29, true)]);
  expect(pieces).toEqual([
    { text: '<|im_start|>', isSpecial: true },
    { text: 'user\nHi', isSpecial: false },
    { text: '<|im_end|>', isSpecial: true },
  ]);
});

it('a token that a template adds without spelling it takes no text', () => {
  expect(piecesOf('ab', [{ id: 1, text: '<s>', start: 0, end: 0, special: true }])).toEqual([
    { text: 'ab', isSpecial: false },
  ]);
});
