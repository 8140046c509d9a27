import type { RunAction } from '../state/debugging.js';

/** What a key does that the run controls have; `breakpoint` sets or removes one where one is. */
export type RunKey = RunAction | 'breakpoint';

type Pressed = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** As it is written: modifiers in this order, then the key. */
const chordOf = ({ key, shiftKey, ctrlKey, metaKey, altKey }: Pressed): string =>
  [ctrlKey || metaKey ? 'Ctrl+' : '', altKey ? 'Alt+' : '', shiftKey ? 'Shift+' : '', key].join('');

/**
 * The keys of VS Code. Where a browser or a desktop keeps one for itself (F11, F10), the same with Alt does it, as in
 * VS Code's page; with Ctrl they go back.
 */
export const runKeys: Readonly<Record<RunKey, readonly string[]>> = {
  continue: ['F5'],
  pause: ['F6'],
  step: ['F10', 'Alt+F10'],
  stepIn: ['F11', 'Alt+F11'],
  stepOut: ['Shift+F11', 'Alt+Shift+F11'],
  stepBack: ['Ctrl+F10', 'Ctrl+Alt+F10'],
  reverse: ['Ctrl+F5', 'Alt+F5'],
  restart: ['Ctrl+Shift+F5'],
  stop: ['Shift+F5'],
  breakpoint: ['F9'],
};

const byChord = new Map(
  (Object.entries(runKeys) as [RunKey, readonly string[]][]).flatMap(([action, chords]) =>
    chords.map((chord) => [chord, action] as const),
  ),
);

/** What a key does anywhere on the page. */
export const runKeyOf = (event: Pressed): RunKey | undefined => byChord.get(chordOf(event));

/** gdb's letters, for where nothing is written: in capitals they go back. No browser keeps them. */
const letters: Readonly<Record<string, RunKey>> = {
  ...{ c: 'continue', n: 'step', s: 'stepIn', f: 'stepOut', b: 'breakpoint' },
  ...{ C: 'reverse', N: 'stepBack', S: 'stepBack', r: 'restart' },
};

/** What a letter does in the listing. */
export const letterOf = ({ key, ctrlKey, metaKey, altKey }: Pressed): RunKey | undefined =>
  ctrlKey || metaKey || altKey ? undefined : letters[key];
