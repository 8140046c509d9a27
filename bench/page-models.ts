/** What the benchmarks of the page run on: a model of GPT-2 small's size, and texts of a length. */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';
import { root } from '../test/support/root.js';

/** GPT-2 small's shapes with the vocabulary of the default model, so that a text can be given. */
export const gpt2Small = (): string => {
  const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'models', 'gpt2-small-words');
  mkdirSync(path.dirname(folder), { recursive: true });
  if (existsSync(path.join(folder, 'tokenizer.json'))) return folder;
  writeRandomModel(folder, gpt2SmallConfig);
  copyFileSync(path.join(root, 'zoo/models/world/tokenizer.json'), path.join(folder, 'tokenizer.json'));
  return folder;
};

const words = 'Then Lina and Mara went to the market . Mara gave a basket to'.split(' ');
/** A text of so many words. */
export const prompt = (length: number): string => Array.from({ length }, (_, i) => words[i % words.length]).join(' ');

/** The value that a share of all are below. */
export const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(q * values.length)] ?? NaN;
