import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../test/support/root.js';
import { DebuggerError, type ErrorCode } from '../base/index.js';
import { openFolder, openWeights, writeSafetensorsFile, type ModelFolder } from './index.node.js';

const golden = path.join(root, 'test/golden/models');
const sharded = 'model.safetensors.index.json';
let scratch = '';
let open: ModelFolder[] = [];
beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-folder-'));
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((folder) => folder.weights.close()));
  rmSync(scratch, { recursive: true });
});

const opened = async (folder: string): Promise<ModelFolder> => {
  const model = await openFolder(folder);
  open.push(model);
  return model;
};
const copyOf = (name: string): string => {
  const folder = path.join(scratch, name);
  cpSync(path.join(golden, name), folder, { recursive: true });
  return folder;
};
const fails = async (folder: string, code: ErrorCode): Promise<DebuggerError> => {
  const error: unknown = await openFolder(folder).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DebuggerError);
  expect((error as DebuggerError).info.code).toBe(code);
  return error as DebuggerError;
};
const edit = (file: string, change: (json: Record<string, unknown>) => void): void => {
  const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(file, JSON.stringify(json));
};

describe('a folder in Hugging Face layout', () => {
  it('gives config, weights, the tokenizer’s files and what a user should know', async () => {
    const model = await opened(path.join(golden, 'gpt2-default'));
    expect(model.config['model_type']).toBe('gpt2');
    expect(model.tokenizer?.tokenizer).toBe(path.join(golden, 'gpt2-default', 'tokenizer.json'));
    const name = model.weights.names().find((n) => n.includes('wte')) ?? '';
    const { shape, dtype } = model.weights.info(name);
    expect(dtype).toBe('float32');
    expect((await model.weights.read(name)).shape).toEqual(shape);
    expect((await opened(path.join(golden, 'llama-default'))).notes.join()).toContain('no vocabulary');
  });

  it('may have its weights in shards', async () => {
    const { weights } = await opened(path.join(golden, 'llama-sharded'));
    const files = new Set(weights.names().map((name) => path.basename(weights.info(name).file)));
    expect(files.size).toBe(3);
    const all = await Promise.all(weights.names().map((name) => weights.read(name)));
    expect(all.every((tensor) => tensor.data.some((x) => x !== 0))).toBe(true);
  });

  it('may consist of symbolic links, as the hub’s cache does', async () => {
    const folder = path.join(scratch, 'snapshot');
    mkdirSync(folder);
    for (const file of readdirSync(path.join(golden, 'llama-sharded')))
      symlinkSync(path.join(golden, 'llama-sharded', file), path.join(folder, file));
    const { weights } = await opened(folder);
    const { file } = weights.info(weights.names()[0] ?? '');
    expect(path.dirname(file)).toBe(path.join(golden, 'llama-sharded'));
  });

  it('may have NaN and Infinity in its config, as Python writes them', async () => {
    const folder = copyOf('llama-default');
    writeFileSync(
      path.join(folder, 'config.json'),
      '{"a": NaN, "b": [Infinity, -Infinity], "c": "say \\"NaN\\" Infinity"}',
    );
    const { config } = await opened(folder);
    expect(config).toEqual({ a: NaN, b: [Infinity, -Infinity], c: 'say "NaN" Infinity' });
  });

  it('may hold a tensor that the index leaves out', async () => {
    const folder = copyOf('llama-sharded');
    let gone = '';
    edit(path.join(folder, sharded), (json) => {
      const map = json['weight_map'] as Record<string, unknown>;
      gone = Object.keys(map).find((name) => name.includes('layers.0')) ?? '';
      json['weight_map'] = Object.fromEntries(Object.entries(map).filter(([name]) => name !== gone));
    });
    expect((await opened(folder)).weights.names()).toContain(gone);
  });
});

describe('what cannot be opened', () => {
  it('no such folder', async () => {
    expect((await fails(path.join(scratch, 'nowhere'), 'MODEL_NOT_FOUND')).blame).toBe('caller');
    writeFileSync(path.join(scratch, 'file'), '');
    await fails(path.join(scratch, 'file', 'below'), 'MODEL_NOT_FOUND');
  });

  it('a file', async () => {
    for (const name of ['model.gguf', 'model.safetensors', 'notes.txt']) writeFileSync(path.join(scratch, name), '');
    expect((await fails(path.join(scratch, 'model.gguf'), 'MODEL_NOT_FOUND')).info.hint).toContain('openGguf');
    await fails(path.join(scratch, 'model.safetensors'), 'MODEL_NOT_FOUND');
    await fails(path.join(scratch, 'notes.txt'), 'MODEL_NOT_FOUND');
  });

  it.each(['pytorch_model.bin', 'weights.pt', 'model.pth', 'model.ckpt'])('a pickle: %s', async (name) => {
    const folder = copyOf('llama-default');
    unlinkSync(path.join(folder, 'model.safetensors'));
    writeFileSync(path.join(folder, name), '');
    expect((await fails(path.join(folder, name), 'PICKLE_REFUSED')).info.hint).toContain('save_pretrained');
    expect((await fails(folder, 'PICKLE_REFUSED')).message).toContain(name);
  });

  it('a folder with pickled shards', async () => {
    const folder = copyOf('llama-default');
    unlinkSync(path.join(folder, 'model.safetensors'));
    writeFileSync(path.join(folder, 'pytorch_model.bin.index.json'), '{}');
    await fails(folder, 'PICKLE_REFUSED');
  });

  it('a folder without a config, or without weights', async () => {
    const folder = copyOf('llama-default');
    unlinkSync(path.join(folder, 'model.safetensors'));
    await fails(folder, 'MODEL_NOT_FOUND');
    unlinkSync(path.join(folder, 'config.json'));
    expect((await fails(folder, 'MODEL_NOT_FOUND')).message).toContain('config.json');
  });

  it.each(['', '{', '[]', '"text"', 'null', '{"a": nan}', '\u0000'])('a config that is %j', async (text) => {
    const folder = copyOf('llama-default');
    writeFileSync(path.join(folder, 'config.json'), text);
    await fails(folder, 'CONFIG_INVALID');
  });

  it('a config that is a folder, or too large to be one', async () => {
    const folder = copyOf('llama-default');
    truncateSync(path.join(folder, 'config.json'), 10_000_001);
    expect((await fails(folder, 'FILE_UNREADABLE')).message).toContain('10000001 bytes');
    unlinkSync(path.join(folder, 'config.json'));
    mkdirSync(path.join(folder, 'config.json'));
    expect((await fails(folder, 'FILE_UNREADABLE')).message).toContain('folder');
  });

  it('weights that were not copied whole', async () => {
    const folder = copyOf('llama-default');
    truncateSync(path.join(folder, 'model.safetensors'), 100_000);
    await fails(folder, 'SAFETENSORS_INVALID');
    truncateSync(path.join(folder, 'model.safetensors'), 3);
    await fails(folder, 'SAFETENSORS_INVALID');
  });

  it('a link that leads nowhere', async () => {
    const folder = copyOf('llama-default');
    unlinkSync(path.join(folder, 'model.safetensors'));
    symlinkSync(path.join(scratch, 'gone'), path.join(folder, 'model.safetensors'));
    await fails(folder, 'FILE_UNREADABLE');
  });

  it('a shard that is missing, by its name', async () => {
    const folder = copyOf('llama-sharded');
    unlinkSync(path.join(folder, 'model-00002-of-00003.safetensors'));
    expect((await fails(folder, 'TENSOR_MISSING')).message).toContain('model-00002-of-00003.safetensors');
  });

  it('a tensor that the index lists and its shard lacks', async () => {
    const folder = copyOf('llama-sharded');
    edit(path.join(folder, sharded), (json) => {
      Object.assign(json['weight_map'] as object, { 'model.extra': 'model-00001-of-00003.safetensors' });
    });
    expect((await fails(folder, 'TENSOR_MISSING')).message).toContain('model.extra');
  });

  it.each(['../model.safetensors', '/etc/passwd', 'a/b.safetensors', 'a\\b', '..', '', 'C:x', 7, null])(
    'a shard called %j, which could lead out of the folder',
    async (shard) => {
      const folder = copyOf('llama-sharded');
      edit(path.join(folder, sharded), (json) => {
        json['weight_map'] = { 'model.w': shard };
      });
      await fails(folder, 'SAFETENSORS_INVALID');
    },
  );

  it.each(['{', '[]', '{}', '{"weight_map": []}'])('an index that is %j', async (text) => {
    const folder = copyOf('llama-sharded');
    writeFileSync(path.join(folder, sharded), text);
    await fails(folder, 'SAFETENSORS_INVALID');
  });
});

describe('reading weights', () => {
  it('widens every dtype', async () => {
    for (const [name, dtype] of [
      ['llama-float16', 'float16'],
      ['llama-bfloat16', 'bfloat16'],
      ['llama-float64', 'float64'],
    ] as const) {
      // prettier-ignore
      const { weights } = await opened(path.join(golden, name));
      const first = weights.names()[0] ?? '';
      expect(weights.info(first).dtype).toBe(dtype);
      const [tensor, bytes] = [await weights.read(first), await weights.readBytes(first, 0, 8)];
      const view = new DataView(bytes.buffer);
      const expected = {
        float16: () => tensor.data[0],
        bfloat16: () => new Float32Array(Uint32Array.of(view.getUint16(0, true) << 16).buffer)[0],
        float64: () => Math.fround(view.getFloat64(0, true)),
      }[dtype]();
      expect(tensor.data[0]).toBe(expected);
    }
  });

  it('gives back what was written, in pieces too', async () => {
    const file = path.join(scratch, 'x.safetensors');
    const data = Float32Array.from({ length: 3 * 400_000 }, (_, i) => i); // as float64 more than is converted at once
    const shape = [3, 400_000];
    const wide = { dtype: 'float64', shape, data: Float64Array.from(data) } as const;
    await writeSafetensorsFile(file, [
      ['wide', wide],
      ['x', { dtype: 'float32', shape, data }],
    ]);
    const weights = await openWeights(file);
    for (const name of ['wide', 'x']) {
      const read = await weights.read(name);
      expect(read.shape).toEqual(shape);
      expect(Buffer.compare(Buffer.from(read.data.buffer), Buffer.from(data.buffer))).toBe(0);
    }
    expect([...new Float32Array((await weights.readBytes('x', 40, 8)).buffer)]).toEqual([10, 11]);
    expect(() => weights.info('y')).toThrow('no tensor y');
    await weights.close();
  });

  it('tells when the file has become shorter meanwhile', async () => {
    const { weights } = await opened(copyOf('llama-default'));
    const name = weights.names().at(-1) ?? '';
    truncateSync(weights.info(name).file, 2000);
    await expect(weights.read(name)).rejects.toMatchObject({ info: { code: 'FILE_UNREADABLE' } });
  });
});
