import { describe, expect, it } from 'vitest';
import type { LensCell, PatchGrid, PatchResult } from '../../../protocol/index.js';
import { boardGrid, effectsOn } from './on-board.js';

const cell = (): LensCell => ({ top: [], words: [], entropy: 0, norm: 0, change: 0, broken: 0 });
const rows = ['embed', 'blocks.0', 'blocks.1'];
const cells = rows.map(() => [cell(), cell()]);
const tokens = [1, 2].map((id) => ({ id, text: '' }));

const grid = (site: string, by: PatchGrid['by'] = ['position']): PatchGrid => ({
  ...{ site, by, layers: ['blocks.0', 'blocks.1'] },
  columns: [
    { label: '0 a', position: 0 },
    { label: '1 b', position: 1 },
  ],
  raw: [],
  effect: [
    [0.1, 0.2],
    [0.3, null],
  ],
});
const result = (grids: readonly PatchGrid[], corrupt = tokens): PatchResult => ({
  model: { family: '', layers: 2, heads: 1, modelDim: 1, vocab: 3, parameters: 1, fingerprint: '' },
  ...{ tokens, corruptTokens: corrupt, method: 'patch', direction: 'denoise', metric: '', pairs: 1 },
  ...{ clean: 1, corrupted: 0, effect: 'share', grids: [...grids], runs: 1, known: 0, seconds: 0 },
});

describe('patching on the board', () => {
  it('takes the stream, cut by position', () => {
    expect(boardGrid(result([grid('attn_out'), grid('resid_pre')]))?.site).toBe('resid_pre');
    expect(boardGrid(result([grid('attn.z', ['head'])]))).toBeUndefined();
  });

  it('puts what a layer begins with where it comes from', () => {
    const pre = effectsOn({ rows, cells }, result([grid('resid_pre')]));
    expect(cells.map((row) => row.map((c) => pre?.of(c)))).toEqual([
      [0.1, 0.2],
      [0.3, null],
      [undefined, undefined],
    ]);
    const out = effectsOn({ rows, cells }, result([grid('mlp_out')]));
    expect(out?.of(cells[2]?.[0] ?? cell())).toBe(0.3);
    expect(out?.ends).toEqual([-1, 1]);
  });

  it('follows the clean prompt where the lengths differ', () => {
    const longer = [1, 9, 2].map((id) => ({ id, text: '' }));
    const own = { ...grid('mlp_out'), columns: [{ label: '2 b', position: 2 }], effect: [[0.7], [0.8]] };
    const found = effectsOn({ rows, cells }, result([own], longer));
    expect([found?.of(cells[1]?.[1] ?? cell()), found?.of(cells[1]?.[0] ?? cell())]).toEqual([0.7, undefined]);
  });

  it('leaves a decoder where it is, whatever its encoder reads', () => {
    const longer = [1, 9, 2].map((id) => ({ id, text: '' }));
    const whole = result([grid('decoder.mlp_out')], longer);
    const found = effectsOn({ rows, cells }, { ...whole, model: { ...whole.model, encoderLayers: 2 } });
    expect(found?.of(cells[1]?.[1] ?? cell())).toBe(0.2);
  });
});
