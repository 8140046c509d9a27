import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createHash } from 'node:crypto';
import { locateModel } from './zoo.node.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-zoo-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** A zoo of one model with one file. */
const makeZoo = (name: string, content = 'weights'): string => {
  const zoo = path.join(scratch, name);
  mkdirSync(path.join(zoo, 'world'), { recursive: true });
  writeFileSync(path.join(zoo, 'world', 'model.safetensors'), content);
  const hash = createHash('sha256').update(content).digest('hex');
  writeFileSync(path.join(zoo, 'hashes.json'), JSON.stringify({ world: { 'model.safetensors': hash } }));
  return zoo;
};

describe('a model by name', () => {
  const zoo = makeZoo('whole');

  it('is found in the zoo, with and without the prefix', async () => {
    expect(await locateModel('zoo:world', zoo)).toBe(path.join(zoo, 'world'));
    expect(await locateModel('world', zoo)).toBe(path.join(zoo, 'world'));
  });

  it('is a path where there is such a path, or no such model', async () => {
    expect(await locateModel(scratch, zoo)).toBe(scratch);
    expect(await locateModel('elsewhere', zoo)).toBe('elsewhere');
    expect(await locateModel('src', zoo)).toBe('src');
  });

  it('that the zoo does not have is refused, with the nearest', async () => {
    await expect(locateModel('zoo:wolrd', zoo)).rejects.toMatchObject({
      info: { code: 'MODEL_NOT_FOUND', hint: expect.stringContaining('zoo:world') as unknown },
    });
  });

  it('whose file was changed or is gone is refused', async () => {
    const broken = path.join(scratch, 'broken');
    cpSync(zoo, broken, { recursive: true });
    writeFileSync(path.join(broken, 'world', 'model.safetensors'), 'weightz');
    await expect(locateModel('world', broken)).rejects.toMatchObject({ info: { code: 'ZOO_DAMAGED' } });
    rmSync(path.join(broken, 'world', 'model.safetensors'));
    await expect(locateModel('zoo:world', broken)).rejects.toMatchObject({ info: { code: 'ZOO_DAMAGED' } });
  });
});
