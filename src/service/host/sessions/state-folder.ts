import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Where a user's own state is kept: `$XDG_STATE_HOME/cutaway` where that is set; else `%LOCALAPPDATA%` on Windows,
 * `~/Library/Application Support` on macOS, `~/.local/state` on others.
 * @source XDG Base Directory Specification 0.8: relative paths are ignored
 */
export const stateFolder = (env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string => {
  const { XDG_STATE_HOME: given = '', LOCALAPPDATA: local = '' } = env;
  if (path.isAbsolute(given)) return path.join(given, 'cutaway');
  if (platform === 'win32')
    return path.join(local === '' ? path.join(homedir(), 'AppData', 'Local') : local, 'cutaway');
  if (platform === 'darwin') return path.join(homedir(), 'Library', 'Application Support', 'cutaway');
  return path.join(homedir(), '.local', 'state', 'cutaway');
};
