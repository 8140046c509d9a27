/** How two runs differ, panel by panel: the numbers are the operations' of B less those of A. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  attribute,
  attributeInput,
  components,
  componentsInput,
  knockout,
  knockoutInput,
  lens,
  lensInput,
} from '../../src/index.js';
import { compact, percent } from '../../src/web/look/numbers.js';
import { addressOf, usePage } from './support/page-server.js';

const timeout = 120_000;
const soon = { timeout: 60_000, interval: 100 };
const context = { signal: new AbortController().signal, note: () => undefined };
const model = 'zoo:world';
const prompt = 'Then Nina and Mara went to the market. Mara gave a basket to';
const edit = 'scale blocks.3.mlp_out by 0.2';
const at = JSON.stringify({ after: 'blocks.6', position: 14, head: 2 });
const state = { prompt, word: ' Nina', edits: [], beside: { name: '', edits: [{ text: edit, on: true }] } };

const page = usePage();

const given = { model, binding: 'apart', prompt };
const edited = { ...given, edits: [{ text: edit }] };
const cells = async (on: Page, row: string): Promise<string[]> =>
  (await on.locator(row).locator('td').allTextContents()).map((text) => text.trim());

/** Compares, at a tab, with the difference looked at. */
const open = (test: Parameters<typeof page.open>[0], tab: string): Promise<Page> =>
  page.open(test, addressOf(state, { tab, at, side: 'difference' }));

describe('how two runs differ', () => {
  it('is what each part of a layer does, in both', { timeout }, async (test) => {
    const on = await open(test, 'block');
    const told = (input: object) =>
      knockout.run(knockoutInput.parse({ ...input, layer: 6, words: [' Nina'] }), context);
    const [a, b] = [await told(given), await told(edited)];
    const of = ({ parts }: typeof a) => parts.find((part) => part.part === 'mlp')?.words[0]?.probability;
    await on.locator('#block .parts.two').waitFor();
    expect((await cells(on, '#block tr[aria-label="MLP"]')).slice(2, 4)).toEqual([percent(of(a)), percent(of(b))]);
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('is a difference of each part of a score', { timeout }, async (test) => {
    const on = await open(test, 'components');
    const told = (input: object) =>
      components.run(componentsInput.parse({ ...input, word: ' Nina', position: 14 }), context);
    const [a, b] = [await told(given), await told(edited)];
    await expect.poll(() => on.locator('#components tfoot td').nth(1).textContent(), soon).toBe(compact(b.sum - a.sum));
    const value = ({ parts }: typeof a): number => parts.find((p) => p.name === '4.4')?.value ?? NaN;
    const cell = on.locator('#part-grid button').and(on.locator('[aria-label^="4.4:"]'));
    expect(await cell.getAttribute('aria-label')).toBe(`4.4: ${compact(value(b) - value(a))}`);
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('is a difference of tokens’ scores', { timeout }, async (test) => {
    const on = await open(test, 'attribution');
    const told = (input: object) => attribute.run(attributeInput.parse({ ...input, method: 'lrp' }), context);
    const [a, b] = [await told(given), await told(edited)];
    const score = (b.rows[0]?.scores[2] ?? NaN) - (a.rows[0]?.scores[2] ?? NaN);
    await expect
      .poll(() => on.locator('#attributed button').nth(2).getAttribute('aria-label'), soon)
      .toBe(`·Nina: ${compact(score)}`);
    expect(await on.locator('#faithfulness').count()).toBe(0);
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('is a difference of neurons, of attention and of weights', { timeout }, async (test) => {
    const on = await open(test, 'neurons');
    await on.locator('#changed-neurons tbody tr').first().waitFor();
    const [, a = '', b = '', difference = ''] = await cells(on, '#changed-neurons tbody tr:first-child');
    const number = (text: string): number => Number(text.replaceAll('−', '-'));
    expect(number(difference)).toBeCloseTo(number(b) - number(a), 1);
    expect(number(difference)).not.toBe(0);
    await on.getByRole('tab', { name: 'Attention' }).click();
    await on.locator('#head-map').focus();
    for (const key of ['End', 'Home', 'ArrowRight']) await on.keyboard.press(key);
    const formula = on.locator('#formula');
    await formula.getByText(/A [\d.e−]+, B [\d.e−]+, B − A [\d.e−]+/).waitFor();
    await on.getByRole('tab', { name: 'Weights' }).click();
    await on.getByText('Singular values are of one weight').waitFor();
    // Nothing in this experiment changes a weight.
    await on.locator('#weights').getByText('the same to the last bit').waitFor();
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('is told of panels that show the first run alone', { timeout }, async (test) => {
    const on = await open(test, 'sampling');
    await on.locator('#sampling .shown-run').waitFor();
    expect(await on.locator('#sampling .shown-run').textContent()).toBe('A');
    await on.getByRole('tab', { name: 'Residual' }).click();
    await on.locator('#residual .shown-run').waitFor();
    expect(await on.locator('#residual .shown-run').textContent()).toBe('B − A');
    const told = await lens.run(lensInput.parse({ ...given, positions: [14], top: 1 }), context);
    const words = told.rows.map((row) => row.cells[0]?.top[0]?.text);
    const last = words.at(-1)?.replaceAll(' ', '·') ?? '';
    await expect.poll(() => on.locator('#leaders .leader').last().locator('.mono').textContent(), soon).toBe(last);
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});
