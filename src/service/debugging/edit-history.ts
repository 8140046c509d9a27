import { isBefore, type DebugSession, type Place, type Position } from '../../debugger/index.js';
import type { Variant } from '../../engine/index.js';
import type { Edit } from '../../language/index.js';

/** From a place of the run on, these changes are in force. */
export interface Stage {
  readonly place: Place;
  readonly edits: readonly Edit[];
}

/** A change that was made: what was in force before it, and where. */
interface Change {
  readonly edits: readonly Edit[];
  readonly made?: {
    readonly stages: readonly Stage[];
    /** Where the run stood before it, and where it left the run. */
    readonly before: Position;
    readonly after: Position;
    /** Puts the run back as it was, while it stands where the change left it; of the last changes alone. */
    readonly restore?: () => void;
  };
}

/** Ways back that are kept: each holds the states of the run as it was. Beyond, they are computed again. */
const waysBack = 8;

const isSame = (a: Position, b: Position): boolean => a.step === b.step && a.at === b.at && a.op === b.op;

const atStart = ({ step, at }: Place): Position => ({ step, at, op: 0 });

/** The changes of a run: which are in force since when, and how to take them back. */
export class EditHistory {
  #edits: readonly Edit[];
  #stages: readonly Stage[];
  /** Changes that were made, the last one last; and the lists that were in force before they were undone. */
  readonly #done: Change[] = [];
  readonly #undone: (readonly Edit[])[] = [];

  /** @param prepare makes a variant of a list of changes; throws for one that does not fit */
  constructor(
    edits: readonly Edit[],
    readonly session: DebugSession,
    readonly prepare: (
      edits: readonly Edit[],
    ) => Promise<{ readonly variant: Variant; readonly notes: readonly string[] }>,
  ) {
    this.#edits = edits;
    this.#stages = [{ place: { step: 0, at: 0 }, edits }];
  }

  /** The changes in force, in order. */
  get edits(): readonly Edit[] {
    return this.#edits;
  }

  /** What was in force on the way here, and from where on; the first from the beginning. */
  get stages(): readonly Stage[] {
    return this.#stages;
  }

  /** Puts these changes in the place of all, from where the run stands. @returns notes */
  async set(edits: readonly Edit[]): Promise<readonly string[]> {
    const notes = await this.#change(edits);
    this.#undone.length = 0;
    return notes;
  }

  /** What can be undone and made again, from the run that this one begins anew. */
  remember(before: EditHistory): void {
    this.#done.push(...before.#done.map(({ edits }) => ({ edits })));
    this.#undone.push(...before.#undone);
  }

  /**
   * Takes the last change back: where the run stands as the change left it, as if it had never been made; elsewhere it
   * no longer counts from here on. @returns whether there was one
   */
  async undo(): Promise<boolean> {
    const change = this.#done.pop();
    if (!change) return false;
    const { made, edits } = change;
    this.#undone.push(this.#edits);
    if (!made || !isSame(this.session.position, made.after)) {
      await this.#become(edits);
      return true;
    }
    if (made.restore) made.restore();
    else await this.replay(made.stages, made.before);
    [this.#edits, this.#stages] = [edits, made.stages];
    return true;
  }

  async redo(): Promise<boolean> {
    const after = this.#undone.pop();
    if (!after) return false;
    await this.#change(after);
    return true;
  }

  /**
   * Runs through stages from the beginning, each change made where it was, to the same bits.
   * @param to where the run stands afterwards
   * @returns whether it came to all of them
   */
  async replay(stages: readonly Stage[], to: Position): Promise<boolean> {
    for (const { place, edits } of stages) {
      const start = atStart(place);
      await this.session.goTo(start);
      if (!isSame(this.session.position, start)) return false;
      await this.#become(edits);
    }
    await this.session.goTo(to);
    return true;
  }

  async #change(edits: readonly Edit[]): Promise<readonly string[]> {
    const [before, old, stages, restore] = [this.session.position, this.#edits, this.#stages, this.session.mark()];
    const notes = await this.#become(edits);
    this.#done.push({ edits: old, made: { stages, before, after: this.session.position, restore } });
    const older = this.#done.length - 1 - waysBack;
    const change = this.#done[older];
    if (change?.made) {
      const { restore: _, ...made } = change.made;
      this.#done[older] = { ...change, made };
    }
    return notes;
  }

  /** What was in force behind the place is given up, since it is run anew. */
  async #become(edits: readonly Edit[]): Promise<readonly string[]> {
    const { variant, notes } = await this.prepare(edits);
    this.#edits = edits;
    await this.session.change(variant);
    const { step, at } = this.session.position;
    const earlier = this.#stages.filter(({ place }) => !isBefore(atStart({ step, at }), atStart(place)));
    const isFirst = step === 0 && at === 0;
    this.#stages = [...(isFirst ? [] : earlier), { place: { step, at }, edits }];
    return notes;
  }
}
