import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DebuggerError } from '../../base/index.js';
import { float32 } from '../../tensor/index.js';
import { createRecording, isRecording, openRecording, tensorCrc32 } from './index.node.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-recording-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});
const at = (name: string): string => path.join(scratch, name);
const beside = (name: string): string[] =>
  readdirSync(scratch).filter((file) => file.startsWith(`.${name}.`) && file.endsWith('.partial'));

const tensor = float32([2, 3], Float32Array.of(1, -2, 3.5, NaN, Infinity, -0));

/** A recording of one value. @returns its bytes */
const write = async (file: string): Promise<Uint8Array> => {
  const writer = await createRecording(file, { recording: 1 });
  const site = { part: writer.nextPart(), tensor: 'a@0', crc32: tensorCrc32(tensor) };
  await writer.flush([['a@0', tensor]], { steps: [{ step: 0 }], sites: [site] });
  await writer.finish({ recording: 1, complete: true, sites: [site] });
  return readFileSync(file);
};

describe('a recording on disk', () => {
  it('is read as it was written', async () => {
    await write(at('a'));
    expect(await isRecording(at('a'))).toBe(true);
    const recording = await openRecording(at('a'));
    const place = { part: 'parts/00000.safetensors', tensor: 'a@0', crc32: tensorCrc32(tensor) };
    expect(recording.manifest).toEqual({ recording: 1, complete: true, sites: [place] });
    expect(recording.damage).toBeUndefined();
    expect(await recording.read(place)).toEqual(tensor);
    await expect(recording.read({ ...place, crc32: 1 })).rejects.toMatchObject({ info: { code: 'RECORDING_INVALID' } });
    await expect(recording.read({ ...place, tensor: 'b' })).rejects.toMatchObject({
      info: { code: 'RECORDING_INVALID' },
    });
    await recording.close();
  });

  it('leaves the file of its name alone until it is finished', async () => {
    writeFileSync(at('b'), 'old');
    const writer = await createRecording(at('b'), {});
    await writer.flush([], {});
    expect(readFileSync(at('b'), 'utf8')).toBe('old');
    await writer.abandon(false);
    expect(readFileSync(at('b'), 'utf8')).toBe('old');
    expect(beside('b')).toEqual([]);
  });

  it('is not made where nothing can be written', async () => {
    for (const place of [path.join(scratch, 'nowhere', 'c'), scratch])
      await expect(createRecording(place, {})).rejects.toMatchObject({ info: { code: 'OUT_UNWRITABLE' } });
  });

  it.each(['', 'PK', 'text', '{}'])('is not what holds %j', async (content) => {
    writeFileSync(at('d'), content);
    expect(await isRecording(at('d'))).toBe(false);
    await expect(openRecording(at('d'))).rejects.toMatchObject({ info: { code: 'RECORDING_INVALID' } });
  });

  it('opens or is refused with our own error, cut and changed in any way', async () => {
    const bytes = await write(at('e'));
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(bytes.length), async (list, length) => {
        const damaged = Uint8Array.from(bytes);
        for (const [place, value] of list) damaged[place] = value;
        writeFileSync(at('f'), list.length > 0 ? damaged : damaged.subarray(0, length));
        try {
          const recording = await openRecording(at('f'));
          const place = { part: 'parts/00000.safetensors', tensor: 'a@0', crc32: tensorCrc32(tensor) };
          const read = await recording.read(place).finally(() => recording.close());
          expect(read).toEqual(tensor); // what is given is what was written
        } catch (error) {
          if (!(error instanceof DebuggerError)) throw error;
          expect(error.info.code).toBe('RECORDING_INVALID');
        }
      }),
      { numRuns: 400 },
    );
  });
});

/** Writes parts until it is killed, and says so of each. */
const endless = (file: string): string => `
import { createRecording } from ${JSON.stringify(fileURLToPath(new URL('./index.node.ts', import.meta.url)))};
const writer = await createRecording(${JSON.stringify(file)}, { recording: 1, complete: false });
for (let step = 0; ; step++) {
  const tensor = { dtype: 'float32', shape: [1000], data: new Float32Array(1000).fill(step) };
  const site = { step, part: writer.nextPart(), tensor: 'a@' + step };
  await writer.flush([['a@' + step, tensor]], { steps: [{ step }], sites: [site] });
  process.stdout.write(step + '\\n');
}`;

/** Kills the process once it has written so many parts. @returns how many it told of */
const killedAfter = (file: string, parts: number): Promise<number> => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', endless(file)]);
  let told = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString().split('\n').length - 1;
    if (told >= parts) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(told);
      else reject(new Error(`it ended by itself after ${told} parts`));
    });
  });
};

describe('a process that is killed while it records', () => {
  it('leaves the earlier file as it was, and all that it had flushed beside it', async () => {
    const before = await write(at('killed'));
    const parts = await killedAfter(at('killed'), 5);
    expect(Uint8Array.from(readFileSync(at('killed')))).toEqual(Uint8Array.from(before));
    const [partial = ''] = beside('killed');
    const recording = await openRecording(at(partial));
    const manifest = recording.manifest as {
      complete: boolean;
      sites: { step: number; part: string; tensor: string }[];
    };
    expect(recording.damage).toMatch(/\S/);
    expect(manifest.complete).toBe(false);
    expect(manifest.sites.length).toBeGreaterThanOrEqual(parts);
    for (const { step, part, tensor: name } of manifest.sites) {
      const { data } = await recording.read({ part, tensor: name });
      expect(data.every((x) => x === step) && data.length === 1000).toBe(true);
    }
    await recording.close();
  }, 60_000);
});
