import { homedir } from 'node:os';
import path from 'node:path';

/** Where a program keeps what it remembers for a user. @source XDG Base Directory Specification 0.8 */
export const stateFolder = (): string => {
  const { XDG_STATE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_STATE_HOME !== undefined && path.isAbsolute(XDG_STATE_HOME)) return path.join(XDG_STATE_HOME, 'cutaway');
  switch (process.platform) {
    case 'darwin':
      return path.join(homedir(), 'Library/Application Support/cutaway');
    case 'win32':
      return path.join(LOCALAPPDATA ?? path.join(homedir(), 'AppData/Local'), 'cutaway');
    default:
      return path.join(homedir(), '.local/state/cutaway');
  }
};
