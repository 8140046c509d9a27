import type { ExperimentState, SessionEdit } from '../../protocol/index.js';
import type { Change } from './session.js';

/** The session's edits as things to do with them. */
export interface Experiment {
  edits(): readonly SessionEdit[];
  /** Is this edit there and on? */
  has(text: string): boolean;
  /** Switches an edit: one that is not there is added, one that is there is switched on or off. */
  toggle(text: string): void;
  add(text: string): void;
  /** Puts another text in an edit's place. Calls of one gesture are one step of undo. */
  replace(index: number, text: string, gesture?: string): void;
  remove(index: number): void;
  set(edits: readonly SessionEdit[]): void;
}

/** @param state what one looks at; `change`: changes that */
export const makeExperiment = (
  state: () => ExperimentState | undefined,
  change: (change: Change, gesture?: string) => void,
): Experiment => {
  const edits = (): readonly SessionEdit[] => state()?.edits ?? [];
  const set = (next: readonly SessionEdit[], gesture?: string): void =>
    change({ edits: next.map((e) => ({ ...e })) }, gesture);
  return {
    edits,
    has: (text) => edits().some((e) => e.text === text && e.on),
    toggle: (text) => {
      const isThere = edits().some((e) => e.text === text);
      set(isThere ? edits().map((e) => (e.text === text ? { ...e, on: !e.on } : e)) : [...edits(), { text, on: true }]);
    },
    add: (text) => set([...edits(), { text, on: true }]),
    replace: (index, text, gesture) =>
      set(
        edits().map((e, i) => (i === index ? { ...e, text } : e)),
        gesture,
      ),
    remove: (index) => set(edits().filter((_, i) => i !== index)),
    set,
  };
};
