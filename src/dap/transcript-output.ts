import type { Debuggee } from '../service/index.js';

/** Tells of each token once, as it is made; where the run went back and came another way, of the new ones. */
export class TranscriptOutput {
  #said: readonly number[] = [];

  constructor(readonly output: (text: string, category: 'stdout' | 'console') => void) {}

  tell({ tokens, request }: Debuggee): void {
    const made = tokens.slice(request.prompt.ids.length);
    const same = this.#said.findIndex((id, i) => made[i]?.id !== id);
    if (same >= 0 && same < made.length) {
      this.output(`\nfrom token ${same} on it goes another way:\n`, 'console');
      this.#said = this.#said.slice(0, same);
    }
    const fresh = made.slice(this.#said.length);
    if (fresh.length === 0) return;
    this.output(fresh.map(({ text }) => text).join(''), 'stdout');
    this.#said = made.map(({ id }) => id);
  }
}
