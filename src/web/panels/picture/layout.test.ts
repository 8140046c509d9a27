import { describe, expect, it } from 'vitest';
import type { PictureForm } from '../../../protocol/index.js';
import { formLayout } from './layout.js';

/** `attn<ln1+source` as a part. */
const form = (text: string, output: string): PictureForm => ({
  output,
  parts: text.split(' ').map((one) => {
    const [id = '', inputs = ''] = one.split('<');
    const kind = id.startsWith('sum') ? 'sum' : 'other';
    return { id, kind, inputs: inputs.split('+'), parameters: 0 };
  }),
});
const places = (of: PictureForm): string =>
  formLayout(of)
    .parts.map(({ part, lane, row }) => `${part.id} ${lane},${row}`)
    .join('; ');

describe('the inside of a block', () => {
  it('with norms before has the modules beside the stream, and the sums in it', () => {
    expect(places(form('ln1<stream attn<ln1 sum<stream+attn ln2<sum mlp<ln2 sum.1<sum+mlp', 'sum.1'))).toBe(
      'ln1 1,1; attn 1,2; sum 0,3; ln2 1,4; mlp 1,5; sum.1 0,6',
    );
  });
  it('with norms of the sums has them in the stream', () => {
    expect(places(form('attn<stream sum<stream+attn ln1<sum mlp<ln1 sum.1<ln1+mlp ln2<sum.1', 'ln2'))).toBe(
      'attn 1,1; sum 0,2; ln1 0,3; mlp 1,4; sum.1 0,5; ln2 0,6',
    );
  });
  it('that is parallel has attention and MLP beside each other', () => {
    expect(places(form('ln1<stream attn<ln1 mlp<ln1 sum<mlp+attn+stream', 'sum'))).toBe(
      'ln1 1,1; attn 1,2; mlp 2,2; sum 0,3',
    );
  });
  it('with two norms has two lanes from the beginning', () => {
    const layout = formLayout(form('ln1<stream attn<ln1 ln2<stream mlp<ln2 sum<mlp+attn+stream', 'sum'));
    expect(layout).toMatchObject({ rows: 4, lanes: 3 });
  });
});
