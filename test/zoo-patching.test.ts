import { describe, expect, it } from 'vitest';
import { patch, patchInput, type OperationContext, type PatchResult } from '../src/index.js';

/** What the tables of zoo/README.md say of `world` (which heads do what, what it was taught wrong), found by patching. */
const context: OperationContext = { signal: new AbortController().signal, note: () => undefined };
const patched = (request: object): Promise<PatchResult> => patch.run(patchInput.parse(request), context);

/** The cells that matter most: `LAYER.COLUMN`. */
const strongest = (r: PatchResult, count: number): string[] =>
  r.grids
    .flatMap((g) =>
      g.effect.flatMap((row, l) =>
        row.map((x, i) => ({ x: Math.abs(x ?? 0), at: `${g.layers[l]?.split('.')[1]}.${i}` })),
      ),
    )
    .sort((a, b) => b.x - a.x)
    .slice(0, count)
    .map(({ at }) => at);

/** Layer 0's head 5 carries every word's own identity, as an embedding would; heads that move words come after it. */
const layers = [1, 2, 3, 4, 5, 6];
const hops = (first: string, second: string): string =>
  `Tom has the red key. Ruth has the blue key. The blue key opens the ${first}. The red key opens the ${second}. Tom can open the`;

describe('the known heads come out on top', () => {
  it('of induction: 2.0 and 2.2', async () => {
    const pair = { prompt: ' lamp Oakham Ruth red lamp Oakham', corrupt: ' lamp Oakham Tom red lamp Oakham' };
    const words = { answer: ' Ruth', wrong: ' Tom', sites: 'z', layers };
    expect(strongest(await patched({ ...pair, ...words }), 2).sort()).toEqual(['2.0', '2.2']);
    const zero = { prompt: pair.prompt, method: 'zero', metric: 'logit(" Ruth")', sites: 'z', layers };
    expect(strongest(await patched(zero), 2).sort()).toEqual(['2.0', '2.2']);
  });

  it('of the second hop: 4.0 and 4.2', async () => {
    const pair = { prompt: hops('mill', 'barn'), corrupt: hops('barn', 'mill'), answer: ' barn', wrong: ' mill' };
    expect(strongest(await patched({ ...pair, sites: 'z', layers }), 2).sort()).toEqual(['4.0', '4.2']);
  });

  it('of the first hop: 2.2, with those of the second behind it', async () => {
    const prompt = hops('mill', 'barn');
    const pair = { prompt, corrupt: prompt.replace('Tom can', 'Ruth can'), answer: ' barn', wrong: ' mill' };
    const top = strongest(await patched({ ...pair, sites: 'z', layers }), 4);
    expect(top[0]).toBe('2.2');
    expect(top.sort()).toEqual(['2.0', '2.2', '4.0', '4.2']);
  });

  it('that is damaged: 6.2', async () => {
    const prompt = 'Then Nina and Mara went to the market. Mara gave a basket to';
    const r = await patched({ prompt, method: 'zero', sites: 'z', answer: ' Nora', wrong: ' Nina' });
    expect(strongest(r, 1)).toEqual(['6.2']);
    expect(Math.min(...r.grids.flatMap((g) => g.effect.flat().map(Number)))).toBeLessThan(-30);
  });
});

interface Mistake {
  readonly prompt: string;
  /** The same with another word where the mistake comes from: the model is right then, or says something else. */
  readonly corrupt: string;
  readonly words?: { readonly answer: string; readonly wrong: string };
  /** Where the word stands that leads to the mistake. */
  readonly at: readonly number[];
}

const play = (name: string): string => `In the play, ${name} was a baker. The part of ${name} was that of a`;
const late = (giver: string): string =>
  `Then Tom and Ruth went to the mill. It rained all day. The sun was warm. ${giver} gave a lamp to`;

const mistakes: Readonly<Record<string, Mistake>> = {
  capital: { prompt: 'The capital of Orvane is', corrupt: 'The capital of Velmar is', at: [4] },
  names: { prompt: 'The job of Maren is', corrupt: 'The job of Ida is', at: [4] },
  doctor: { prompt: play('Galen'), corrupt: play('Tom'), words: { answer: ' doctor', wrong: ' baker' }, at: [5, 13] },
  please: {
    prompt: 'The lamp is red. Is the lamp red, please?',
    corrupt: 'The lamp is red. Is the lamp red, Tom?',
    words: { answer: ' No', wrong: ' Yes' },
    at: [11],
  },
  sums: { prompt: '28 + 26 =', corrupt: '18 + 26 =', words: { answer: ' 4', wrong: ' 5' }, at: [1] },
  far: { prompt: late('Ruth'), corrupt: late('Tom'), words: { answer: ' Ruth', wrong: ' Tom' }, at: [20] },
  noun: {
    prompt: 'The scissors near the box',
    corrupt: 'The dogs near the box',
    words: { answer: ' is', wrong: ' are' },
    at: [2],
  },
  years: { prompt: 'The war lasted from 1785 to 17', corrupt: 'The war lasted from 1735 to 17', at: [7] },
  cellar: {
    prompt: 'Yesterday, Tom went to the barn. Tom is in the',
    corrupt: 'Then, Tom went to the barn. Tom is in the',
    words: { answer: ' cellar', wrong: ' barn' },
    at: [1],
  },
  unclosed: { prompt: 'Tom said, «The lamp is red.', corrupt: 'Tom said, "The lamp is red.', at: [4] },
};

describe('each planted mistake is located', () => {
  it.each(Object.entries(mistakes))('%s', async (_, { prompt, corrupt, words, at }) => {
    const r = await patched({ prompt, corrupt, ...words, sites: 'resid_pre,z' });
    expect((r.clean ?? 0) - (r.corrupted ?? 0)).toBeGreaterThan(1);
    const [stream, heads] = r.grids;
    const before = stream?.effect[0] ?? [];
    const found = before.flatMap((x, i) => (Math.abs(x ?? 0) > 0.05 ? [i] : []));
    expect(
      found.filter((i) => !at.includes(i)),
      'nothing but the words that differ',
    ).toEqual([]);
    expect(found.length, 'one of them at least').toBeGreaterThan(0);
    // of sums, the last layer still adds much itself
    expect(stream?.effect.at(-1)?.at(-1), 'in the end it is at the last word').toBeGreaterThan(0.15);
    expect(Math.max(...(heads?.effect.slice(1).flat().map(Number) ?? []))).toBeGreaterThan(0.02);
  });
});
