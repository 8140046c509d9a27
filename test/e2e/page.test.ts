/** The page in a real Chromium, on the real server and the default model. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { inspectInput } from '../../src/protocol/index.js';
import { inspect } from '../../src/service/index.js';
import { root } from '../support/root.js';
import { usePage } from './support/page-server.js';

const timeout = 90_000;
const tour = JSON.parse(readFileSync(path.join(root, 'zoo/tour.json'), 'utf8')) as Readonly<
  Record<'prompt' | 'expected' | 'wrong' | 'edit', string> & Record<'layer' | 'head', number>
>;

/** Layers of the default model. */
const { num_hidden_layers: layers } = JSON.parse(
  readFileSync(path.join(root, 'zoo/models/world/config.json'), 'utf8'),
) as { readonly num_hidden_layers: number };

const { server, folder, open: openPage, asked, wrong } = usePage();

const visible = (text: string): string => text.replaceAll(' ', '·');

/** A session without edits, on the prompt of the first minute. */
const afresh = (over: object = {}): string => {
  const state = { model: 'zoo:world', prompt: tour.prompt, word: tour.expected, name: '', edits: [], ...over };
  return `#${new URLSearchParams({ s: JSON.stringify(state) }).toString()}`;
};

const said = (page: Page, which: 'before' | 'after') => page.locator(`#said-${which}`);
const part = (page: Page, name: string) => page.getByRole('row', { name, exact: true }).getByRole('switch');

/** Clicks a cell of the board of the default model; row 0 is the embedding's. */
const clickCell = async (page: Page, row: number, position: number): Promise<void> => {
  const box = (await page.locator('#board-canvas').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const [rows, columns] = [layers + 1, await page.locator('#chips .chip').count()];
  const [width, height] = [(box.width - 44) / columns, Math.min(58, (box.height - 22) / rows)];
  await page.mouse.click(box.x + 44 + (position + 0.5) * width, box.y + (rows - 0.5 - row) * height);
};

describe('the first minute', () => {
  it('is two clicks from a wrong answer to the right one', { timeout }, async (context) => {
    const page = await openPage(context);
    await said(page, 'before').getByText(visible(tour.wrong), { exact: true }).waitFor();
    await page.locator('.invitation').getByText(`layer ${tour.layer} loses it: click the marked cell`).waitFor();
    expect(await page.evaluate('document.documentElement.scrollHeight <= innerHeight')).toBe(true);
    await clickCell(page, tour.layer + 1, (await page.locator('#chips .chip').count()) - 1);
    await page.getByText(`now switch off head ${tour.layer}.${tour.head}`).waitFor();
    await part(page, `head ${tour.layer}.${tour.head}`).click();
    await said(page, 'after').getByText(visible(tour.expected), { exact: true }).waitFor();
    expect(await page.locator('.edit-text').first().inputValue()).toBe(tour.edit);
    await page.close();
    expect(wrong).toEqual([]);
    const { host } = new URL(server().address);
    expect(asked.map((url) => new URL(url).host)).toEqual(asked.map(() => host));
    expect(asked.some((url) => url.startsWith('ws://'))).toBe(true);
  });
});

/** What the bottom line tells of a cell, by keyboard: the last, then up or down. */
const statusNumbers = async (page: Page): Promise<{ norm: number; position: number }> => {
  const text = (await page.locator('#what').textContent()) ?? '';
  const [, position = '', norm = ''] = /at (\d+) .*‖x‖ ([\d.]+)/.exec(text) ?? [];
  return { norm: Number(norm), position: Number(position) };
};

describe('the numbers', () => {
  it('are those of inspect', { timeout }, async (context) => {
    const page = await openPage(context, afresh({ edits: [{ text: tour.edit, on: true }] }));
    const found = await inspect.run(
      inspectInput.parse({
        prompt: tour.prompt,
        edits: [{ text: tour.edit }],
        sites: `blocks.${layers - 1}.resid_post[position=-1]`,
      }),
      { signal: new AbortController().signal, note: () => undefined },
    );
    const site = 'sites' in found ? found.sites[0] : undefined;
    const norm = Math.sqrt((site?.shape[2] ?? 0) * ((site?.mean ?? 0) ** 2 + (site?.std ?? 0) ** 2));
    await page
      .locator('#what')
      .getByText(`‖x‖ ${norm.toFixed(norm >= 100 ? 0 : 1)}`)
      .waitFor();
    expect((await statusNumbers(page)).norm).toBeCloseTo(norm, norm >= 100 ? -0.3 : 1);
    await page.close();
  });

  it('of attention are those of the pattern and the scores', { timeout }, async (context) => {
    const page = await openPage(
      context,
      `${afresh()}&tab=attention&at=${encodeURIComponent(JSON.stringify({ after: 'blocks.3', position: 0, head: 0 }))}`,
    );
    await page.locator('#head-map').waitFor();
    const count = await page.locator('#chips .chip').count();
    /** Points at query −1, key 2, wherever the picture stands by now, and reads the formula. */
    const formula = async (): Promise<string> => {
      const box = (await page.locator('#head-map').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      const side = Math.min((box.width - 58) / count, Math.max(40, box.height - 58) / count, 34);
      await page.mouse.move(box.x + 58 + 2.5 * side, box.y + 58 + (count - 0.5) * side);
      return (await page.locator('#formula').textContent()) ?? '';
    };
    const told = /√d = ([−\d.]+), softmax = ([\d.]+), × ‖v‖ ([\d.]+) =/;
    let text = '';
    await expect.poll(async () => (text = await formula()), { timeout: 30_000 }).toMatch(told);
    const [, score = '', p = '', length = ''] = told.exec(text) ?? [];
    const sites = [
      ...['pattern', 'scores'].map((name) => `blocks.3.attn.${name}[head=0, query=-1, key=2]`),
      'blocks.3.attn.v[position=2, kvHead=0]',
    ].join(',');
    const found = await inspect.run(inspectInput.parse({ prompt: tour.prompt, sites }), {
      ...{ signal: new AbortController().signal, note: () => undefined },
    });
    const values = 'sites' in found ? new Map(found.sites.map((s) => [s.name.split('.').at(-1), s.mean])) : new Map();
    expect(Number(p)).toBeCloseTo(Number(values.get('pattern')), 2);
    expect(Number(score.replace('−', '-'))).toBeCloseTo(Number(values.get('scores')), 2);
    const v = 'sites' in found ? found.sites.find((s) => s.name.endsWith('.v')) : undefined;
    const norm = Math.sqrt((v?.shape.at(-1) ?? 0) * ((v?.mean ?? 0) ** 2 + (v?.std ?? 0) ** 2));
    expect(Number(length)).toBeCloseTo(norm, 1);
    await page.close();
  });
});

describe('the experiment', () => {
  it('changes the output as its slider moves, and is undone in one step', { timeout }, async (context) => {
    const page = await openPage(context, afresh());
    await page.locator('#add-edit').fill(`scale blocks.${tour.layer}.attn.z[head=${tour.head}] by 1`);
    await page.keyboard.press('Enter');
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.getByText('nothing has changed').waitFor();
    const box = (await slider.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    for (const share of [0.45, 0.35, 0.26]) await page.mouse.move(box.x + share * box.width, box.y + box.height / 2);
    await page.mouse.up();
    await said(page, 'after').getByText(visible(tour.expected), { exact: true }).waitFor();
    expect(await page.locator('.edit-text').first().inputValue()).toMatch(/ by -?0\.\d+$/);
    await page.locator('#undo').click();
    await page.getByText('nothing has changed').waitFor();
    await page.locator('#redo').click();
    await said(page, 'after').getByText(visible(tour.expected), { exact: true }).waitFor();
    await page.close();
  });

  it('tells what is wrong with an edit before it is tried', { timeout }, async (context) => {
    const page = await openPage(context, afresh());
    await page.locator('#add-edit').fill('drop head three');
    await page.getByText('column 11').waitFor();
    expect(await page.getByRole('button', { name: 'Add', exact: true }).isDisabled()).toBe(true);
    await page.close();
  });

  it('is saved as a file, and loaded again', { timeout }, async (context) => {
    const page = await openPage(context, afresh({ edits: [{ text: tour.edit, on: true }], name: 'mended' }));
    await said(page, 'after').getByText(visible(tour.expected), { exact: true }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save' }).click(),
    ]);
    const file = path.join(folder(), 'saved.json');
    await download.saveAs(file);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ experiment: 1, name: 'mended' });
    await page.getByRole('button', { name: 'Remove all' }).click();
    await said(page, 'after').waitFor({ state: 'detached' });
    await page.locator('input[type=file]').setInputFiles(file);
    await said(page, 'after').getByText(visible(tour.expected), { exact: true }).waitFor();
    await page.close();
  });
});

describe('the session', () => {
  it('is one in two pages, and the address brings it back', { timeout }, async (context) => {
    const [one, other] = [await openPage(context, afresh()), await openPage(context)];
    await one.locator('#add-edit').fill(tour.edit);
    await one.keyboard.press('Enter');
    await said(other, 'after').getByText(visible(tour.expected), { exact: true }).waitFor();
    await other.locator('#undo').click();
    await said(one, 'after').waitFor({ state: 'detached' });
    await one.locator('#redo').click();
    await said(one, 'after').waitFor();
    const link = one.url();
    await other.locator('#undo').click();
    await said(one, 'after').waitFor({ state: 'detached' });
    await other.goto('about:blank');
    await other.goto(link);
    await said(other, 'after').getByText(visible(tour.expected), { exact: true }).waitFor();
    await Promise.all([one.close(), other.close()]);
  });

  it('outlives the host: its death is told, it is started anew, and nothing is lost', { timeout }, async (context) => {
    const page = await openPage(context, afresh({ edits: [{ text: tour.edit, on: true }] }));
    await said(page, 'after').waitFor();
    process.kill(server().host.pid ?? 0, 'SIGKILL');
    await page.locator('#host-died').waitFor();
    await page.locator('#restart').click();
    await page.locator('#host-died').waitFor({ state: 'detached' });
    await page.locator('textarea').first().fill(`${tour.prompt} `);
    await page.locator('#chips .chip').nth(15).waitFor();
    expect(await page.locator('.edit-text').first().inputValue()).toBe(tour.edit);
    await page.close();
  });

  it(
    'is cancelled when it takes long, nothing of another model is shown, and it can be run',
    { timeout },
    async (context) => {
      const page = await openPage(context, afresh());
      const { pid } = await server().host.request('status', {});
      process.kill(pid, 'SIGSTOP'); // a run takes as long as one likes
      try {
        await page.locator('#model').click();
        await page.locator('#model-path').fill('zoo:judge');
        await page.keyboard.press('Enter');
        await page.locator('.notice').getByRole('button', { name: 'Cancel' }).click();
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await page.locator('#cancelled').waitFor();
      expect(await page.locator('#chips .chip').count()).toBe(0);
      await page.locator('#cancelled button').click();
      await page.locator('#cancelled').waitFor({ state: 'detached' });
      await page.locator('#chips .chip').first().waitFor();
      await page.close();
    },
  );

  it('leaves nothing running when the page closes', { timeout }, async (context) => {
    const page = await openPage(context, afresh());
    await page.locator('textarea').first().fill(`${tour.prompt} Mara`);
    await page.close();
    await expect.poll(async () => (await server().host.request('status', {})).pending, { timeout: 20_000 }).toBe(0);
  });
});

describe('a token of the text', () => {
  it('shows what else could stand there, and the text forks', { timeout }, async (context) => {
    const page = await openPage(context, afresh());
    await page.locator('#chips .chip').nth(4).click();
    const other = page.locator('#alternatives tr[aria-selected=false] button').first();
    const word = (await other.textContent()) ?? '';
    await other.click();
    await expect.poll(() => page.locator('#chips .chip').count(), { timeout: 30_000 }).toBe(6);
    expect(await page.locator('#chips .chip').last().textContent()).toBe(word);
    await page.locator('#undo').click();
    await page.locator('#chips .chip').nth(6).waitFor();
    expect(await page.locator('textarea').first().inputValue()).toBe(tour.prompt);
    await page.close();
  });
});

describe('what comes from files', () => {
  it('is text, never markup', { timeout }, async (context) => {
    const script = '<img src=x onerror="globalThis.bad=1">';
    const page = await openPage(context, afresh({ prompt: script, word: undefined, name: script }));
    await page.waitForTimeout(300);
    expect(await page.evaluate('globalThis.bad')).toBeUndefined();
    expect(await page.locator('img').count()).toBe(0);
    await page.close();
  });
});

describe('the other panels', () => {
  it.for([
    ['residual', '.residual-rows tbody tr', layers + 1],
    ['neurons', '#neurons .parts tbody tr:not(.writes)', 12],
    ['neurons', '#neurons .writes', 12],
    ['weights', '#weight-picture', 1],
    ['attribution', '#faithfulness path', 2],
    ['weights', '.spectrum-chart polyline', 1],
  ] as const)('%s', { timeout }, async ([tab, what, count], context) => {
    const page = await openPage(context, `${afresh()}&tab=${tab}`);
    await page
      .locator(what)
      .nth(count - 1)
      .waitFor();
    expect(await page.locator(what).count()).toBe(count);
    expect(wrong).toEqual([]);
    await page.close();
  });
});

describe('by keyboard', () => {
  it('finds a head, moves on the board, and shows where it is', { timeout }, async (context) => {
    const page = await openPage(context, afresh());
    await page.keyboard.press('Control+k');
    await page.keyboard.type('2.5');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Head 2.5' }).waitFor();
    await page.locator('#board-canvas').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowLeft');
    await page
      .locator('#what')
      .getByText(/after L3, at \d+/)
      .waitFor();
    await page.close();
  });
});
