import type { TargetChange } from '../../protocol/index.js';

/** The changes of a run, in the edit language. */
type Edits = readonly string[];

const isMade = ({ change }: TargetChange): boolean => ['edit', 'load', 'set', 'write'].includes(change);

/**
 * Which changes were in force before each that was made and before each that was undone: what another run needs to be
 * able to undo and redo as this one.
 */
export class ChangeLog {
  readonly #before: Edits[] = [];
  readonly #undone: Edits[] = [];

  /** A change was carried out. @param edits those in force before it */
  note(change: TargetChange, edits: Edits): void {
    if (isMade(change)) {
      this.#before.push(edits);
      this.#undone.length = 0;
    } else if (change.change === 'undo') {
      this.#before.pop();
      this.#undone.push(edits);
    } else if (change.change === 'redo') {
      this.#undone.pop();
      this.#before.push(edits);
    }
  }

  /**
   * What brings a new run to where this one is.
   * @param edits those in force now
   * @returns the changes to begin it with, and those to make, in order
   */
  again(edits: Edits): { readonly first: Edits; readonly changes: readonly TargetChange[] } {
    const [first = edits, ...loaded] = [...this.#before, edits, ...[...this.#undone].reverse()];
    const load = loaded.map((list): TargetChange => ({ change: 'load', text: list.join('\n') }));
    return { first, changes: [...load, ...this.#undone.map((): TargetChange => ({ change: 'undo' }))] };
  }
}
