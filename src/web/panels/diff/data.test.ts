import { describe, expect, it } from 'vitest';
import type { DiffResult, PictureBlock, PictureForm } from '../../../protocol/index.js';
import { blockDifference, blockOf, differs, partOf, relativeText, shareOf, shownSites } from './data.js';

const block = (id: string, kind: PictureBlock['kind']): PictureBlock => ({ id, kind, form: 0, parameters: 0 });
const blocks = [block('embed', 'embed'), block('blocks.0', 'block'), block('blocks.1', 'block'), block('head', 'head')];
const part = (id: string, kind: PictureForm['parts'][number]['kind']) => ({ id, kind, inputs: [], parameters: 0 });
const form: PictureForm = {
  parts: [part('ln1', 'norm'), part('attn', 'attention'), part('sum', 'sum'), part('mlp', 'mlp'), part('sum.1', 'sum')],
  output: 'sum.1',
};
const [, first] = blocks as [PictureBlock, PictureBlock];

const site = (name: string, relative: number | null, isOther = true) => ({
  ...{ site: name, shape: [1], relative, largest: 1, cosine: 1, differs: isOther },
  broken: [0, 0] as [number, number],
});
const result = {
  floor: 1e-4,
  byLayer: false,
  findings: [{ site: 'blocks.0.attn.pattern' }],
  sites: [
    site('embed', 0, false),
    site('blocks.0.attn.pattern', 0.3),
    site('blocks.0.resid_post', 0.01),
    site('blocks.1.attn.z', null),
    site('logits', 1e-5, false),
  ],
} as unknown as DiffResult;

describe('a difference on the picture of the model', () => {
  it('belongs to the block and the part that its site is in', () => {
    expect(blockOf('blocks.1.attn.z', blocks)?.id).toBe('blocks.1');
    expect(blockOf('pos_embed', blocks)?.id).toBe('embed');
    expect(blockOf('ln_final.normalized', blocks)?.id).toBe('head');
    expect(['ln1.normalized', 'attn.pattern', 'attn_out', 'resid_mid', 'resid_post', 'resid_pre'].map((rest) => partOf(`blocks.0.${rest}`, first, form))).toEqual(['ln1', 'attn', 'attn', 'sum', 'sum.1', undefined]); // prettier-ignore
    expect(partOf('blocks.1.attn_out', first, form)).toBeUndefined();
  });

  it('is, of a block, that of what it hands on, else the most that is in it', () => {
    expect(blocks.map((one) => blockDifference(result, one, blocks))).toEqual([0, 0.01, Infinity, 1e-5]);
  });

  it('is nothing up to the floor, and goes by orders of magnitude above', () => {
    expect([0, 1e-4, 0.3, Infinity].map((x) => shareOf(x, result))).toEqual([0, 0, 1, 1]);
    expect(shareOf(Math.sqrt(1e-4 * 0.3), result)).toBeCloseTo(0.6);
  });

  it('is judged by the own part of a layer where noise adds up', () => {
    const quantised = {
      ...result,
      byLayer: true,
      floor: 0.05,
      local: [{ name: 'blocks.0.attn.pattern', relative: 0.01 }],
    };
    expect(differs(quantised, result.sites[1] as never)).toBe(false);
    expect(differs(result, result.sites[1] as never)).toBe(true);
  });

  it('stands in a table: what is handed on, what was found, and the block in focus', () => {
    const names = (focus?: PictureBlock) => shownSites(result, focus, blocks).map((view) => view.site);
    expect(names()).toEqual(['embed', 'blocks.0.attn.pattern', 'blocks.0.resid_post', 'logits']);
    expect(names(blocks[2])).toContain('blocks.1.attn.z');
  });

  it('is written short', () => {
    expect([null, 0, 0.3621, 2e-6, 12345].map(relativeText)).toEqual(['∞', '0', '0.362', '2.0e−6', '1.2e+4']);
  });
});
