import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stateFolder } from '../../service/host/index.js';

/** Lines that are kept from one session to the next. */
export const historySize = 1000;

/** Where what a user typed is kept. */
const historyFile = (): string => path.join(stateFolder(), 'debug-history');

/** The lines of earlier sessions, the newest first; none where there is no file. */
export const readHistory = (): string[] => {
  try {
    return readFileSync(historyFile(), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .slice(0, historySize);
  } catch {
    return []; // the first session of all
  }
};

/** Keeps the lines, for this user's eyes alone. Where that cannot be done, they are only not there the next time. */
export const writeHistory = (lines: readonly string[]): void => {
  const file = historyFile();
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${lines.slice(0, historySize).join('\n')}\n`, { mode: 0o600 });
  } catch {
    // a read-only home is no reason to stop
  }
};
