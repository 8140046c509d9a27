/** The viewing panels in a real Chromium: what they show against `inspect`. */
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it, type TestContext } from 'vitest';
import { inspectInput } from '../../src/protocol/index.js';
import { capture } from '../../src/service/capture-sites.js';
import { openModel, promptOfText } from '../../src/service/index.js';
import { parseEdits } from '../../src/language/index.js';
import { root } from '../support/root.js';
import { usePage } from './support/page-server.js';

const timeout = 90_000;
const { open: openPage } = usePage();

interface Seen {
  readonly model?: string;
  readonly prompt: string;
  readonly target?: string;
  readonly edits?: readonly string[];
  readonly after: string;
  readonly position?: number;
  readonly head?: number;
}

const openAttention = async (context: TestContext, seen: Seen): Promise<Page> => {
  const { model = 'zoo:world', prompt, target, edits = [], after, position = 1, head = 0 } = seen;
  const state = {
    name: '',
    model,
    prompt,
    edits: edits.map((text) => ({ text, on: true })),
    ...(target === undefined ? {} : { target }),
  };
  const hash = { s: JSON.stringify(state), tab: 'attention', at: JSON.stringify({ after, position, head }) };
  const page = await openPage(context, `#${new URLSearchParams(hash).toString()}`);
  await page.locator('#head-map').waitFor();
  return page;
};

/** What `inspect` reads, by the names of sites. */
const inspected = async ({ model = 'zoo:world', prompt, target, edits = [] }: Seen, sites: string) => {
  const open = await openModel(path.join(root, 'zoo/models', model.replace('zoo:', '')), {
    device: 'cpu',
    engine: 'onnxruntime',
  });
  const given = await promptOfText(open, prompt, target === undefined ? undefined : { text: target });
  const context = { signal: new AbortController().signal, note: () => undefined };
  const request = { input: inspectInput.parse({ model, sites }), edits: parseEdits(edits.join('\n')), prompt: given };
  const { tensors } = await capture(open, request, context);
  await open.dispose();
  return new Map(
    [...tensors].map(([name, { data, shape }]) => [name, { shape, data: Float32Array.from(data as Float32Array) }]),
  );
};

/** Points at a cell of the map, wherever it stands by now, until what is told of it fits. */
const told = async (
  page: Page,
  { query, key }: { query: number; key: number },
  fits: RegExp,
): Promise<RegExpExecArray> => {
  const found: RegExpExecArray[] = [];
  const read = async (): Promise<boolean> => {
    const box = (await page.locator('#head-map').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const scale = Number(await page.locator('#head-map').getAttribute('data-scale'));
    await page.mouse.move(box.x + 58 + (key + 0.5) * scale, box.y + 58 + (query + 0.5) * scale);
    const match = fits.exec((await page.locator('#formula').textContent()) ?? '');
    if (match) found.push(match);
    return match !== null;
  };
  await expect.poll(read, { timeout: 40_000 }).toBe(true);
  const [first] = found;
  if (!first) throw new Error('nothing was told');
  return first;
};

const short = { prompt: 'Then Lina and Mara went to the market .', after: 'blocks.3' };

/** The middle of a head's picture in the grid, as the page draws it: names on the left, then columns of one width. */
const headPlace = async (grid: Locator, { row, column, rows }: { row: number; column: number; rows: number }) => {
  const box = (await grid.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const step = (box.height - 14) / rows;
  return { x: 34 + (column + 0.5) * step, y: (row + 0.5) * step };
};

describe('attention', () => {
  it('shows the mean of heads that are chosen with Shift, of several layers', { timeout }, async (context) => {
    const page = await openAttention(context, short);
    const grid = page.locator('#head-grid');
    const [rows, other] = [7, { layer: 5, head: 2 }];
    await page.waitForTimeout(500);
    await grid.click({
      position: await headPlace(grid, { row: rows - 1 - other.layer, column: other.head, rows }),
      modifiers: ['Shift'],
    });
    await page.getByRole('heading', { name: 'Mean of 3.0, 5.2' }).waitFor();
    const [, mean = ''] = await told(page, { query: 5, key: 2 }, /mean of the chosen heads is ([\d.e−]+)/);
    const found = await inspected(short, 'blocks.3.attn.pattern[head=0],blocks.5.attn.pattern[head=2]');
    const parts = [...found.values()].map(({ data, shape }) => data[5 * (shape[3] ?? 0) + 2] ?? NaN);
    expect(Number(mean.replace('−', '-'))).toBeCloseTo(((parts[0] ?? 0) + (parts[1] ?? 0)) / 2, 2);
    await page.close();
  });

  it('hides special tokens, and makes the rest sum to 1', { timeout }, async (context) => {
    const page = await openAttention(context, short);
    await page.getByRole('button', { name: 'layer', exact: true }).click();
    await page.getByLabel('hide specials').check();
    await page.getByLabel('rest sums to 1').check();
    await page.waitForTimeout(1500);
    const [, mean = ''] = await told(page, { query: 5, key: 2 }, /mean of the chosen heads is ([\d.e−]+)/);
    const pattern = (await inspected(short, 'blocks.3.attn.pattern')).get('blocks.3.attn.pattern');
    const [, heads = 0, queries = 0, keys = 0] = pattern?.shape ?? [];
    const shares = Array.from({ length: heads }, (_, h) => {
      const row = pattern?.data.subarray((h * queries + 5) * keys, (h * queries + 6) * keys) ?? new Float32Array();
      return (row[2] ?? 0) / row.slice(1).reduce((a, b) => a + b, 0); // the first token is the beginning
    });
    expect(Number(mean)).toBeCloseTo(shares.reduce((a, b) => a + b, 0) / heads, 2);
    await page.close();
  });

  it('never loses a single bright cell, from afar or near', { timeout }, async (context) => {
    const words = 'Then Lina and Mara went to the market . Mara gave a basket to'.split(' ');
    const prompt = Array.from({ length: 230 }, (_, i) => words[i % words.length]).join(' ');
    const site = 'blocks.3.attn.pattern[head=0';
    const edits = [`set ${site}] = zero`, `set ${site}, query=150, key=77] = 1`];
    const page = await openAttention(context, { prompt, edits, after: 'blocks.3' });
    await page.setViewportSize({ width: 1280, height: 700 });
    await page.waitForTimeout(1500);
    /** How many pixels of the map have the last colour of the scale, and how large a cell is. */
    const bright = async () => {
      const count = await page.evaluate<number>(`(() => {
        const map = document.querySelector('#head-map');
        const { data } = map.getContext('2d').getImageData(58, 58, map.width - 58, map.height - 58);
        const strip = document.querySelector('#attention .legend-scale');
        const last = strip.getContext('2d').getImageData(strip.width - 1, 5, 1, 1).data;
        let n = 0;
        for (let i = 0; i < data.length; i += 4)
          if ([0, 1, 2].every((c) => Math.abs(data[i + c] - last[c]) < 3)) n++;
        return n;
      })()`);
      return { count, scale: Number(await page.locator('#head-map').getAttribute('data-scale')) };
    };
    await expect.poll(async () => (await bright()).count, { timeout: 30_000 }).toBeGreaterThan(0);
    const far = await bright();
    expect(far.scale).toBeLessThan(1); // several numbers a pixel
    expect(far.count).toBeLessThan(20); // and yet one bright place alone
    await page.locator('#head-map').focus();
    for (const key of ['ArrowRight', 'ArrowDown', '+', '+', '+', '+']) await page.keyboard.press(key);
    await expect.poll(async () => (await bright()).scale).toBeGreaterThan(3 * far.scale);
    await page.keyboard.press('0');
    await expect.poll(async () => (await bright()).count).toBe(far.count);
    await page.close();
  });
});

describe('an encoder-decoder', () => {
  const given = {
    model: 'zoo:translate',
    prompt: 'the dog sees a cat',
    target: '',
    after: 'decoder.blocks.1',
    position: 0,
    head: 1,
  };

  it('has its cross-attention, and both boards with it between them', { timeout }, async (context) => {
    const page = await openAttention(context, given);
    await page.getByRole('heading', { name: 'Head decoder.1.1 (cross)' }).waitFor();
    const attn = 'decoder.blocks.1.cross_attn';
    const found = await inspected(given, `${attn}.pattern[head=1],${attn}.scores[head=1]`);
    const pattern = [...(found.get(`${attn}.pattern`)?.data ?? [])];
    const canvas = page.locator('#encoder-canvas');
    await expect.poll(() => canvas.getAttribute('data-cross'), { timeout: 30_000 }).not.toBe('');
    const row = ((await canvas.getAttribute('data-cross')) ?? '').split(' ').map(Number);
    expect(row).toHaveLength(pattern.length);
    row.forEach((x, i) => expect(x).toBeCloseTo(pattern[i] ?? NaN, 3));
    const [, score = '', p = ''] = await told(page, { query: 0, key: 8 }, /√d = ([−\d.]+), softmax = ([\d.e−]+)/);
    expect(Number(score.replace('−', '-'))).toBeCloseTo(found.get(`${attn}.scores`)?.data[8] ?? NaN, 0);
    expect(Number(p.replace('−', '-'))).toBeCloseTo(pattern[8] ?? NaN, 2);
    await page.close();
  });

  it('has its own encoder’s and decoder’s attention by a chooser', { timeout }, async (context) => {
    const page = await openAttention(context, given);
    await page.getByLabel('Which attention').selectOption('encoder');
    await page.getByRole('heading', { name: /^Head encoder\.\d\.1$/ }).waitFor();
    await page.getByRole('button', { name: 'rollout', exact: true }).click();
    await page.getByRole('heading', { name: /^Rollout through layer encoder\.\d$/ }).waitFor();
    await page.close();
  });
});
