/** Looks at weights through the host's method, against the file. */
import { describe, expect, it } from 'vitest';
import { openFolder } from '../src/formats/index.node.js';
import { weightInput, type ViewAs } from '../src/protocol/index.js';
import { viewWeight } from '../src/service/host/weight.js';
import { gpt2, llama } from './cli/command.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const name = 'model.layers.1.mlp.down_proj.weight';
const look = (given: object, as: ViewAs) =>
  viewWeight(weightInput.parse({ model: llama, name, as, ...given }), context);

describe('a look at a weight', () => {
  it('has the numbers of the file, by its axes', async () => {
    const { weights } = await openFolder(llama);
    const { data, shape } = await weights.read(name);
    await weights.close();
    const { result, payload } = await look({ where: { out: 3 } }, { kind: 'slice' });
    expect(result.axes).toEqual(['out', 'in']);
    const width = shape[1] ?? 0;
    expect([...new Float32Array(payload?.buffer ?? new ArrayBuffer(0))]).toEqual([...data.slice(3 * width, 4 * width)]);
  });

  it('counts edits of weights, and those alone', async () => {
    const normOf = async (text?: string): Promise<number> => {
      const { result } = await look(text === undefined ? {} : { edits: [{ text }] }, { kind: 'stats' });
      return result.view.kind === 'stats' ? (result.view.norm ?? NaN) : NaN;
    };
    const plain = await normOf();
    expect(await normOf(`weight ${name} *= 2`)).toBeCloseTo(2 * plain, 4);
    expect(await normOf('skip layer 1')).toBe(plain);
  });

  it('names the axes of a file that has them the other way round', async () => {
    const given = { model: gpt2, name: 'transformer.h.0.mlp.c_fc.weight', where: { out: 0 } };
    const { result } = await look(given, { kind: 'slice' });
    expect([result.axes, result.shape]).toEqual([
      ['in', 'out'],
      [24, 1],
    ]);
  });

  it('refuses a name that is none', async () => {
    await expect(look({ name: 'down_proj.weight' }, { kind: 'stats' })).rejects.toThrow('no weight named');
  });
});
