import path from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../test/support/root.js';
import { checkDecodedFits } from './decoded-memory.js';
import { openModel } from './open-model.js';

const golden = (name: string): string => path.join(root, 'test/golden', name);

it('quantised weights that are larger than memory once decoded are refused before they are read', async () => {
  const model = await openModel(golden('gguf/gpt2-q8_0.gguf'), { device: 'cpu', engine: 'reference' });
  const bytes = 4 * (112 * 32 + 2 * (4 * 32 * 32 + 2 * 32 * 64)); // tokens and positions, and two blocks of attention and MLP
  expect(() => checkDecodedFits(model, bytes)).not.toThrow();
  expect(() => checkDecodedFits(model, bytes - 1)).toThrow('decoded to float32, the model takes');
  await model.dispose();
});

it('weights that are mapped from the file need no memory', async () => {
  const model = await openModel(golden('models/gpt2-default'), { device: 'cpu', engine: 'reference' });
  expect(() => checkDecodedFits(model, 0)).not.toThrow();
  await model.dispose();
});
