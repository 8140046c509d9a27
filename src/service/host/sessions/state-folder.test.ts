import { homedir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { stateFolder } from './state-folder.js';

it('state stands where each system has it', () => {
  const home = homedir();
  expect(stateFolder({ XDG_STATE_HOME: '/state' }, 'linux')).toBe(path.join('/state', 'cutaway'));
  expect(stateFolder({ XDG_STATE_HOME: 'relative' }, 'linux')).toBe(path.join(home, '.local', 'state', 'cutaway'));
  expect(stateFolder({}, 'darwin')).toBe(path.join(home, 'Library', 'Application Support', 'cutaway'));
  expect(stateFolder({ LOCALAPPDATA: '/local' }, 'win32')).toBe(path.join('/local', 'cutaway'));
  expect(stateFolder({}, 'win32')).toBe(path.join(home, 'AppData', 'Local', 'cutaway'));
});
