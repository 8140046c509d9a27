import type { TargetTold } from '../protocol/index.js';

/** Tells of tokens as they are made; where the run went back and came another way, of the new ones. */
export class TranscriptOutput {
  #said = 0;

  constructor(readonly output: (text: string, category: 'stdout' | 'console') => void) {}

  tell({ from, tokens }: Extract<TargetTold, { told: 'tokens' }>): void {
    if (from < this.#said) this.output(`\nfrom token ${from} on it goes another way:\n`, 'console');
    this.output(tokens.map(({ text }) => text).join(''), 'stdout');
    this.#said = from + tokens.length;
  }
}
