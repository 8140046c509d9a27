import { ModelError, type ErrorCode, type Json } from '../../base/index.js';
import type { GgufMetadata, GgufValue } from './gguf.js';

/** Keys of an architecture that change nothing in a forward run. */
const harmless: ReadonlySet<string> = new Set(['vocab_size', 'tensor_data_layout', 'rope.scaling.finetuned']);

const isNeutral = (value: GgufValue): boolean => value === 0 || value === false || value === '';

/** A number as JSON has it: a float32 by its shortest decimal form, so that 9.999999747e-6 is 1e-5 again. */
const shortest = (value: number): number => {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return value;
};

/** A list that says the same for every layer is a single value. */
const single = (value: GgufValue | undefined): GgufValue | undefined => {
  if (typeof value !== 'object' || value.length === 0) return value;
  const values = Array.from<GgufValue>(value as ArrayLike<GgufValue>);
  return values.every((v) => v === values[0]) ? values[0] : value;
};

const shownValue = (value: GgufValue | undefined): Json => {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'object' ? `a list of ${value.length}` : value;
};

/** Reads the keys of one architecture (`llama.block_count`), so that at the end those nobody read are known. */
export class ArchitectureKeys {
  readonly #read = new Set<string>();

  constructor(
    readonly metadata: GgufMetadata,
    readonly architecture: string,
    /** For messages. */
    readonly file: string,
  ) {}

  has(key: string): boolean {
    return this.#raw(key) !== undefined;
  }

  /** A whole number of at least 1. */
  integer(key: string, fallback?: number): number {
    const value = this.#raw(key) ?? fallback;
    if (value === undefined) throw this.#missing(key);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
    throw this.refuse(key, 'CONFIG_INVALID', 'is no whole number of at least 1');
  }

  number(key: string, fallback?: number): number {
    const value = this.#raw(key) ?? fallback;
    if (value === undefined) throw this.#missing(key);
    if (typeof value === 'number' && Number.isFinite(value)) return shortest(value);
    throw this.refuse(key, 'CONFIG_INVALID', 'is no number');
  }

  text(key: string, fallback: string): string {
    const value = this.#raw(key) ?? fallback;
    if (typeof value === 'string') return value;
    throw this.refuse(key, 'CONFIG_INVALID', 'is no text');
  }

  /** Checks that a key, where it is there, has the one value that is computed. */
  expect(key: string, value: number | boolean): void {
    const found = this.#raw(key) ?? value;
    if (found !== value) throw this.refuse(key, 'CONFIG_FIELD_UNSUPPORTED', `is not ${value}, which alone is computed`);
  }

  /**
   * Ends the reading. A key that nobody read is an error, unless it is neutral (0, false, empty): what it would change
   * is not computed.
   * @throws ModelError CONFIG_FIELD_UNSUPPORTED
   */
  finish(): void {
    const prefix = `${this.architecture}.`;
    for (const [key, value] of this.metadata) {
      const own = key.slice(prefix.length);
      if (!key.startsWith(prefix) || this.#read.has(own) || harmless.has(own) || isNeutral(value)) continue;
      throw this.refuse(own, 'CONFIG_FIELD_UNSUPPORTED', 'is a key that this version does not know');
    }
  }

  /** The error of a key with its value. */
  refuse(key: string, code: ErrorCode, why: string): ModelError {
    const full = `${this.architecture}.${key}`;
    const value = shownValue(this.metadata.get(full));
    return new ModelError(`${this.file}: ${full} = ${JSON.stringify(value)} ${why}`, {
      code,
      hint: 'Take the model in Hugging Face layout, or a GGUF file made by llama.cpp from a plain model.',
      details: { file: this.file, key: full },
    });
  }

  #raw(key: string): GgufValue | undefined {
    this.#read.add(key);
    return single(this.metadata.get(`${this.architecture}.${key}`));
  }

  #missing(key: string): ModelError {
    return new ModelError(`${this.file} has no ${this.architecture}.${key} in its metadata`, {
      code: 'CONFIG_FIELD_MISSING',
      hint: 'The file was made by something else than llama.cpp, or is damaged: take it anew.',
      details: { file: this.file, key: `${this.architecture}.${key}` },
    });
  }
}
