import { keptMethod } from '../protocol/index.js';

/** Characters of all that is kept: a patched text of 2,048 tokens and 32 layers is about 5 million. */
const mostCharacters = 2 ** 25;

/**
 * Answers that took long, by what was asked: a page that is loaded again, or another tab, has them without a run. The
 * oldest go first when there are too many.
 */
export class KeptAnswers {
  readonly #texts = new Map<string, string>();
  #characters = 0;

  constructor(readonly limit = mostCharacters) {}

  /** Keeps an answer, if it is of those that take long. */
  put(method: string, params: unknown, result: unknown): void {
    if (!keptMethod.safeParse(method).success) return;
    const key = JSON.stringify([method, params]);
    this.#drop(key);
    const text = JSON.stringify(result);
    this.#texts.set(key, text);
    this.#characters += key.length + text.length;
    for (const oldest of this.#texts.keys()) {
      if (this.#characters <= this.limit) break;
      this.#drop(oldest);
    }
  }

  find(method: string, params: unknown): unknown {
    const text = this.#texts.get(JSON.stringify([method, params]));
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }

  #drop(key: string): void {
    const text = this.#texts.get(key);
    if (text === undefined) return;
    this.#texts.delete(key);
    this.#characters -= key.length + text.length;
  }
}
