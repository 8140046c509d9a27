import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Tests keep their state in a folder of their own, not in the user's. @returns what removes it */
export default (): (() => void) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-state-'));
  process.env['XDG_STATE_HOME'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
};
