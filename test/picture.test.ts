/** The architecture as it is read from the graphs: of each kind of block, its parts and how they hang together. */
import { describe, expect, it } from 'vitest';
import { list, listInput, type ModelPicture } from '../src/index.js';

const pictureOf = async (model: string): Promise<ModelPicture> => {
  const context = { signal: new AbortController().signal, note: () => undefined };
  const { picture } = await list.run(listInput.parse({ model, show: ['picture'] }), context);
  return picture ?? { blocks: [], forms: [] };
};
/** A block's parts with what they read: `attn<ln1`. */
const inside = ({ blocks, forms }: ModelPicture, id: string): readonly string[] => {
  const form = forms[blocks.find((b) => b.id === id)?.form ?? -1];
  return (form?.parts ?? []).map((p) => `${p.id}<${p.inputs.join('+')}`);
};

describe('the picture of a model', () => {
  it.for([
    ['norms before', 'zoo:world', 'ln1<stream, attn<ln1, sum<stream+attn, ln2<sum, mlp<ln2, sum.1<sum+mlp'],
    ['norms behind the sums', 'zoo:judge', 'attn<stream, sum<stream+attn, ln1<sum, mlp<ln1, sum.1<ln1+mlp, ln2<sum.1'],
    [
      'norms behind the modules',
      'test/golden/models/olmo2-default',
      'attn<stream, ln1_post<attn, sum<stream+ln1_post, mlp<sum, ln2_post<mlp, sum.1<sum+ln2_post',
    ],
    [
      'parallel, two norms',
      'test/golden/models/gpt-neox-default',
      'ln1<stream, attn<ln1, ln2<stream, mlp<ln2, sum.1<mlp+attn+stream',
    ],
    ['parallel, one norm', 'test/golden/models/phi-default', 'ln1<stream, attn<ln1, mlp<ln1, sum.1<mlp+attn+stream'],
  ] as const)('%s', async ([, model, expected]) => {
    expect(inside(await pictureOf(model), 'blocks.0').join(', ')).toBe(expected);
  });

  it('of an encoder-decoder has two stacks, and cross-attention that reads the source', async () => {
    const picture = await pictureOf('zoo:translate');
    const stacks = picture.blocks.filter((b) => b.kind === 'block').map((b) => b.stack);
    expect(stacks).toEqual(['encoder', 'encoder', 'encoder', 'decoder', 'decoder', 'decoder']);
    expect(inside(picture, 'decoder.blocks.1')).toContain('cross_attn<ln_cross+source');
    expect(inside(picture, 'encoder.blocks.1').join()).not.toContain('source');
  });

  it('of a mixture tells how many experts there are and how many are chosen', async () => {
    const { forms } = await pictureOf('test/golden/models/mixtral-default');
    const mixture = forms.flatMap((f) => f.parts).find((p) => p.id === 'mlp');
    expect(mixture).toMatchObject({ kind: 'experts', experts: 4, chosen: 2 });
  });

  it('counts parameters as the weights have them', async () => {
    const { blocks, forms } = await pictureOf('zoo:world');
    const block = blocks.find((b) => b.id === 'blocks.0');
    const parts = forms[block?.form ?? -1]?.parts ?? [];
    expect(parts.reduce((n, p) => n + p.parameters, 0)).toBe(block?.parameters);
    expect(block?.parameters).toBe(221_440);
  });

  it('has one form for blocks that are alike', async () => {
    const { blocks } = await pictureOf('zoo:world');
    expect(new Set(blocks.filter((b) => b.kind === 'block').map((b) => b.form)).size).toBe(1);
  });
});
