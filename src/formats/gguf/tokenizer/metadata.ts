import { ModelError } from '../../../base/index.js';
import type { GgufMetadata } from '../gguf.js';

export type { GgufMetadata };

/** What is wrong with the vocabulary of a GGUF file. */
export const vocabularyFault = (what: string): ModelError =>
  new ModelError(`the vocabulary of the GGUF file is not usable: ${what}`, {
    code: 'TOKENIZER_INVALID',
    hint: 'Convert the model again, or take the file anew from where it came; until then give ids with --ids.',
  });

const fieldOf = (metadata: GgufMetadata, name: string): unknown => metadata.get(`tokenizer.ggml.${name}`);

const typed = <T>(metadata: GgufMetadata, name: string, check: (value: unknown) => value is T): T | undefined => {
  const value = fieldOf(metadata, name);
  if (value === undefined || check(value)) return value;
  throw vocabularyFault(`tokenizer.ggml.${name} has the wrong type`);
};

/** @throws ModelError TOKENIZER_INVALID where the field is of another type, as the others here do */
export const textField = (metadata: GgufMetadata, name: string): string | undefined =>
  typed(metadata, name, (value) => typeof value === 'string');
export const flagField = (metadata: GgufMetadata, name: string): boolean | undefined =>
  typed(metadata, name, (value) => typeof value === 'boolean');

const isNumeric = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** A token's id; undefined where there is none, or one outside the vocabulary of `count` tokens: as if it were unset. */
export const idField = (metadata: GgufMetadata, name: string, count: number): number | undefined => {
  const value = typed(metadata, name, isNumeric);
  const id = value === undefined ? NaN : Number(value);
  return Number.isInteger(id) && id >= 0 && id < count ? id : undefined;
};

/** A JavaScript array or a typed one, as it is. */
const listField = (metadata: GgufMetadata, name: string): ArrayLike<unknown> | undefined =>
  typed(
    metadata,
    name,
    (value): value is ArrayLike<unknown> =>
      Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView)),
  );

/** A list of texts. */
export const textsField = (metadata: GgufMetadata, name: string): readonly string[] | undefined => {
  const list = listField(metadata, name);
  if (list === undefined) return undefined;
  const texts = Array.from(list);
  if (texts.every((text) => typeof text === 'string')) return texts;
  throw vocabularyFault(`tokenizer.ggml.${name} has an entry that is no text`);
};

/** A list of finite numbers. */
export const numbersField = (metadata: GgufMetadata, name: string): readonly number[] | undefined => {
  const list = listField(metadata, name);
  if (list === undefined) return undefined;
  const numbers = Array.from(list, (value) => (isNumeric(value) ? Number(value) : NaN));
  if (numbers.every(Number.isFinite)) return numbers;
  throw vocabularyFault(`tokenizer.ggml.${name} has an entry that is no finite number`);
};
