import { describe, expect, it } from 'vitest';
import type { PatchGrid } from '../../../protocol/index.js';
import {
  askedOf,
  columnName,
  endsOf,
  gridId,
  layerName,
  matrixOf,
  offeredName,
  placeName,
  siteNames,
  strongestOf,
} from './data.js';

const grid: PatchGrid = {
  ...{ site: 'z', by: ['position', 'head'], layers: ['blocks.0', 'blocks.1'] },
  columns: [
    { label: 'head 2 · 9  Mara', head: 2, position: 9 },
    { label: '3 the', position: 3 },
  ],
  raw: [
    [1, 2],
    [3, null],
  ],
  effect: [
    [0.5, -2],
    [1, null],
  ],
};

describe('what is asked', () => {
  it('is the usual where nothing is set', () => {
    expect(askedOf({})).toEqual({ method: 'patch', direction: 'denoise', sites: 'resid_pre,attn_out,mlp_out' });
    expect(askedOf({ method: 'zero', by: 'head and position', sites: ' z[head=1,2] ,, q' })).toEqual({
      ...{ method: 'zero', by: ['position', 'head'], sites: 'z[head=1,2],q' },
    });
    expect(siteNames('z[head=1,2],q')).toEqual(['z[head=1,2]', 'q']);
  });
});

describe('a grid', () => {
  it('has the last layer on top, and nothing where there is no value', () => {
    expect([...matrixOf(grid).data]).toEqual([1, -Infinity, 0.5, -2]);
  });

  it('names its cells', () => {
    expect(grid.columns.map(columnName)).toEqual(['2·Mara', 'the']);
    expect(columnName({ label: 'head 4', head: 4 })).toBe('4');
    expect(placeName({ grid, layer: 1, column: 0 })).toBe('L1, head 2 at 9 ·Mara');
    expect(['blocks.3', 'decoder.blocks.1', 'encoder.blocks.2'].map(layerName)).toEqual(['L3', 'L1', 'enc 2']);
  });

  it('names its sites, and has a name of its own in the document', () => {
    const sites = ['resid_pre', 'attn.z', 'mlp.post', 'decoder.attn.k', 'decoder.cross_attn.k', 'encoder.attn.k'];
    expect(sites.map(offeredName)).toEqual(['resid_pre', 'z', 'post', 'k', 'cross_attn.k', 'k']);
    expect(sites.map((site) => gridId({ site }))).toEqual([
      'patch-grid-resid_pre',
      'patch-grid-z',
      'patch-grid-post',
      'patch-grid-decoder-attn-k',
      'patch-grid-decoder-cross_attn-k',
      'patch-grid-encoder-attn-k',
    ]);
  });

  it('has what changes nothing in the middle of its scale', () => {
    expect(endsOf({ effect: 'share', direction: 'denoise', grids: [grid] })).toEqual({ from: -2, to: 2 });
    expect(endsOf({ effect: 'share', direction: 'noise', grids: [grid] })).toEqual({ from: -2, to: 4 });
    expect(endsOf({ effect: 'change', grids: [{ ...grid, effect: [[0.25]] }] })).toEqual({ from: -0.25, to: 0.25 });
    expect(endsOf({ effect: 'change', grids: [{ ...grid, effect: [[0, null]] }] })).toEqual({ from: -1, to: 1 });
  });

  it('lists the cells that are farthest from it', () => {
    const names = (direction: 'denoise' | 'noise') =>
      strongestOf({ effect: 'share', direction, grids: [grid] }, 2).map(({ layer, column }) => [layer, column]);
    expect(names('denoise')).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(names('noise')).toEqual([
      [0, 1],
      [0, 0],
    ]);
  });
});
