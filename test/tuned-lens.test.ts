/** Tuned lenses, and the distance to the end, beside PyTorch (`test/golden/components/tuned_lens.py`). */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lensInput } from '../src/protocol/index.js';
import { lens } from '../src/service/index.js';
import { tiny } from './cli/command.js';
import { goldenFolder } from './support/golden.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const tuned = path.join(goldenFolder, '..', 'components', 'tuned');
const golden = JSON.parse(readFileSync(path.join(tuned, 'golden.json'), 'utf8')) as {
  readonly ids: number[];
  readonly word: number;
  readonly rows: readonly { readonly logit: number[]; readonly best: number[]; readonly kl: number[] }[];
};
const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-lens-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const ask = (rest: object) => {
  const given = { model: tiny('gpt2-default'), ids: golden.ids, words: [golden.word], kl: true, ...rest };
  return lens.run(lensInput.parse(given), context);
};

describe('a tuned lens', () => {
  it('reads what PyTorch reads', async () => {
    const { rows } = await ask({ tuned });
    golden.rows.forEach(({ logit, best, kl }, i) =>
      rows[i]?.cells.forEach((cell, p) => {
        expect(cell.words[0]?.logit).toBeCloseTo(logit[p] ?? NaN, 4);
        expect(cell.top[0]?.id).toBe(best[p]);
        expect(cell.kl).toBeCloseTo(kl[p] ?? NaN, 4);
      }),
    );
    expect(rows).toHaveLength(golden.rows.length + 1);
    for (const cell of rows.at(-1)?.cells ?? []) expect(cell.kl).toBeCloseTo(0, 6); // the last is not translated
  });

  it('of another model is refused, and so is a pickle, with the way out', async () => {
    await expect(ask({ tuned, model: tiny('llama-default') })).rejects.toMatchObject({
      info: { code: 'OPTION_INVALID' },
    });
    await expect(ask({ tuned: path.join(folder, 'none') })).rejects.toMatchObject({
      info: { code: 'FILE_UNREADABLE' },
    });
    copyFileSync(path.join(tuned, 'config.json'), path.join(folder, 'config.json'));
    await expect(ask({ tuned: folder })).rejects.toMatchObject({ info: { code: 'CONFIG_INVALID' } });
    writeFileSync(path.join(folder, 'params.pt'), 'x');
    const refused = { info: { code: 'PICKLE_REFUSED', hint: expect.stringContaining('params.safetensors') as string } };
    await expect(ask({ tuned: folder })).rejects.toMatchObject(refused);
    writeFileSync(path.join(folder, 'config.json'), '{"d_model": ');
    await expect(ask({ tuned: folder })).rejects.toMatchObject({ info: { code: 'CONFIG_INVALID' } });
  });
});
