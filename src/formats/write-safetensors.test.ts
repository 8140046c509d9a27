import {
  chmodSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skipOrFail } from '../../test/support/skip.js';
import { float32 } from '../tensor/index.js';
import { checkWritable, openWeights, writeSafetensorsFile } from './index.node.js';

let scratch = '';
beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-write-'));
});
afterEach(() => {
  chmodSync(scratch, 0o700);
  rmSync(scratch, { recursive: true });
});
const tensors = [['x', float32([2], Float32Array.of(1, 2))]] as const;
const unwritable = { info: { code: 'OUT_UNWRITABLE' }, blame: 'caller' };

/** Both the check beforehand and the writing refuse, for this reason; nothing is left behind. */
const refused = async (file: string, reason: string): Promise<void> => {
  const before = readdirSync(scratch);
  for (const act of [checkWritable(file), writeSafetensorsFile(file, tensors)]) {
    await expect(act).rejects.toMatchObject(unwritable);
    await expect(act).rejects.toThrow(reason);
  }
  expect(readdirSync(scratch)).toEqual(before);
};

describe('writing a safetensors file', () => {
  it('replaces what was there, and leaves nothing else', async () => {
    const file = path.join(scratch, 'out.safetensors');
    writeFileSync(file, 'old');
    await checkWritable(file);
    expect(readFileSync(file, 'utf8')).toBe('old');
    await writeSafetensorsFile(file, tensors, { made: 'here' });
    expect(readdirSync(scratch)).toEqual(['out.safetensors']);
    const weights = await openWeights(file);
    expect([...(await weights.read('x')).data]).toEqual([1, 2]);
    await weights.close();
  });

  it('keeps a symbolic link and writes behind it', async () => {
    const [file, link] = [path.join(scratch, 'real'), path.join(scratch, 'link')];
    writeFileSync(file, 'old');
    symlinkSync(file, link);
    await writeSafetensorsFile(link, tensors);
    expect(readFileSync(file)).toEqual(readFileSync(link));
    expect(readFileSync(file, 'utf8')).not.toBe('old');
  });

  it('leaves nothing behind when it is only checked', async () => {
    await checkWritable(path.join(scratch, 'new'));
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('is refused where the folder does not exist, or is a file', async () => {
    await refused(path.join(scratch, 'nowhere', 'out'), 'its folder does not exist');
    writeFileSync(path.join(scratch, 'file'), '');
    await refused(path.join(scratch, 'file', 'out'), 'no folder');
  });

  it('is refused where a folder has that name', async () => {
    mkdirSync(path.join(scratch, 'out'));
    await refused(path.join(scratch, 'out'), 'it is a folder');
  });

  it('is refused for a device, which renaming would replace', async (context) => {
    if (!existsSync('/dev/null')) skipOrFail(context, 'this system has no /dev/null');
    await refused('/dev/null', 'no plain file');
  });

  it('is refused where one may not write', async () => {
    chmodSync(scratch, 0o500);
    const isRoot = process.getuid?.() === 0;
    const names = readdirSync(scratch);
    if (isRoot) process.seteuid?.(65_534); // root may write everywhere, nobody may not
    try {
      for (const act of [checkWritable, (file: string) => writeSafetensorsFile(file, tensors)])
        await expect(act(path.join(scratch, 'out'))).rejects.toThrow('permission denied');
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    expect(readdirSync(scratch)).toEqual(names);
  });

  it('is refused under a name that is too long', async () => {
    await refused(path.join(scratch, 'x'.repeat(300)), 'too long');
  });
});
