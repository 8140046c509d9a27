import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DebuggerError } from '../base/index.js';
import { float32, float64, int64From } from '../tensor/index.js';
import { encodeSafetensors, makeMemoryWeights, type NamedTensor, type Weights } from './index.js';
import { openFolder } from './index.node.js';

const models = path.resolve(import.meta.dirname, '../../test/golden/models');

const fileOf = (tensors: readonly NamedTensor[]): Uint8Array =>
  Uint8Array.from([...encodeSafetensors(tensors)].flatMap((chunk) => [...chunk]));

const codeOf = (error: unknown): string => (error instanceof DebuggerError ? error.info.code : String(error));
const failure = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'it was not refused';
};

const same = async (actual: Weights, expected: Weights): Promise<number> => {
  expect([...actual.names()].sort()).toEqual([...expected.names()].sort());
  for (const name of expected.names()) {
    const { file, ...info } = expected.info(name);
    expect(actual.info(name)).toEqual({ ...info, file: path.basename(file) });
    expect(await actual.read(name), name).toEqual(await expected.read(name));
    const middle = [Math.floor(info.length / 3), Math.floor(info.length / 2)] as const;
    expect(new Uint8Array(await actual.readBytes(name, ...middle))).toEqual(
      new Uint8Array(await expected.readBytes(name, ...middle)),
    );
  }
  return expected.names().length;
};

describe('weights in memory', () => {
  it.each(['gpt2-default', 'llama-bfloat16', 'llama-float16', 'llama-sharded'])(
    'are those of the files of %s',
    async (variant) => {
      const { weights } = await openFolder(path.join(models, variant));
      const files = readdirSync(path.join(models, variant)).filter((name) => /^model.*safetensors$/.test(name));
      const inMemory = files.map((name) => ({ name, bytes: readFileSync(path.join(models, variant, name)) }));
      expect(await same(makeMemoryWeights(inMemory), weights)).toBeGreaterThan(20);
      await weights.close();
    },
  );

  it('need no alignment', async () => {
    const bytes = fileOf([['w', float32([3], new Float32Array([1.5, -2, 0.25]))]]);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const weights = makeMemoryWeights([{ name: 'shifted', bytes: shifted.subarray(1) }]);
    expect([...(await weights.read('w')).data]).toEqual([1.5, -2, 0.25]);
  });

  it('are widened or rounded to float32 from any dtype', async () => {
    const tensors: readonly NamedTensor[] = [
      ['wide', float64([2], new Float64Array([0.1, -1e300]))],
      ['whole', int64From([2], [7, -3])],
    ];
    const weights = makeMemoryWeights([{ name: 'mixed', bytes: fileOf(tensors) }]);
    expect([...(await weights.read('wide')).data]).toEqual([Math.fround(0.1), -Infinity]);
    expect([...(await weights.read('whole')).data]).toEqual([7, -3]);
  });

  it('count once where two files hold a name: the first', async () => {
    const [a, b] = [1, 2].map((x) => fileOf([['w', float32([1], new Float32Array([x]))]]));
    const files = [a, b].map((bytes, i) => ({ name: `${i}`, bytes: bytes ?? new Uint8Array() }));
    const weights = makeMemoryWeights(files);
    expect([weights.names(), (await weights.read('w')).data[0], weights.info('w').file]).toEqual([['w'], 1, '0']);
  });

  it('are not changed by what a reader does with a tensor', async () => {
    const weights = makeMemoryWeights([{ name: 'f', bytes: fileOf([['w', float32([1], new Float32Array([4]))]]) }]);
    (await weights.read('w')).data[0] = 9;
    expect((await weights.read('w')).data[0]).toBe(4);
  });
});

describe('what is wrong is said', () => {
  const bytes = fileOf([['wte', float32([2], new Float32Array([1, 2]))]]);
  const weights = makeMemoryWeights([{ name: 'model.safetensors', bytes }]);

  it('of a file that is cut short, is none, or is empty', () => {
    for (const broken of [bytes.subarray(0, -1), new Uint8Array(100), new Uint8Array(0)])
      expect(failure(() => makeMemoryWeights([{ name: 'x', bytes: broken }]))).toBe('SAFETENSORS_INVALID');
  });

  it('of a name that is not there', async () => {
    expect(failure(() => weights.info('wt'))).toBe('TENSOR_MISSING');
    expect(await weights.read('wt').catch(codeOf)).toBe('TENSOR_MISSING');
    expect(failure(() => makeMemoryWeights([]).info('wt'))).toBe('TENSOR_MISSING');
  });

  it('of bytes outside a tensor', async () => {
    expect(await weights.readBytes('wte', 4, 5).catch(codeOf)).toBe('INTERNAL');
    expect(await weights.readBytes('wte', -1, 2).catch(codeOf)).toBe('INTERNAL');
  });
});
