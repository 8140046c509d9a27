/** The program's panel in a real Chromium: breakpoints, steps, values, two tabs, a host that dies. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import { inspectInput } from '../../src/protocol/index.js';
import { inspect } from '../../src/service/index.js';
import { root } from '../support/root.js';
import { usePage } from './support/page-server.js';

const timeout = 90_000;
const tour = JSON.parse(readFileSync(path.join(root, 'zoo/tour.json'), 'utf8')) as Readonly<
  Record<'prompt' | 'expected' | 'wrong', string>
>;

const { server, open, methods, wrong } = usePage();
const pages: Page[] = [];

const stop = (page: Page) => page.locator('#run-stop');

afterEach(async () => {
  const [page] = pages;
  if (page && (await stop(page).isEnabled())) await stop(page).click();
  for (const open of pages.splice(0)) await open.close();
  expect(wrong.splice(0)).toEqual([]);
});

const settings = { points: [], watches: [], caught: [] };

/** The panel on the prompt of the first minute, without edits and breakpoints, or with those of the session. */
const openPage = async (context: TestContext, debug: object | null = settings): Promise<Page> => {
  const state = { model: 'zoo:world', prompt: tour.prompt, word: tour.expected, name: '', edits: [] };
  const given = new URLSearchParams({ tab: 'program', ...(debug ? { s: JSON.stringify({ ...state, debug }) } : {}) });
  const page = await open(context, `#${given.toString()}`);
  pages.push(page);
  await page.locator('#line-3').waitFor();
  return page;
};

/** The number of the line that begins so, as `list` has it. */
const lineOf = async (page: Page, code: string): Promise<number> => {
  for (let top = 0; top < 2000; top += 200) {
    await page.evaluate(`document.getElementById('listing').scrollTop = ${top}`);
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
    const line = page.locator('#listing .line', { hasText: code }).first();
    if ((await line.count()) > 0) return Number((await line.getAttribute('id'))?.replace('line-', ''));
  }
  throw new Error(`no line has ${code}`);
};

const stands = (page: Page, text: string | RegExp) => page.locator('#standing strong').getByText(text).waitFor();
const here = (page: Page) => page.locator('#listing .line.here');

describe('the program', () => {
  it('stops at a breakpoint that was clicked, steps, and steps back', { timeout }, async (context) => {
    const page = await openPage(context);
    const line = await lineOf(page, 'attn.pattern = Softmax');
    await page.locator(`#line-${line} .gutter`).click();
    await page.locator(`#line-${line} .point-mark`).waitFor();
    await page.locator('#run-continue').click();
    await stands(page, `prefill · layer 0 · line ${line}`);
    await page.locator('#standing').getByText('at a breakpoint').waitFor();
    expect(await here(page).getAttribute('id')).toBe(`line-${line}`);
    await page.keyboard.press('F10');
    await stands(page, `layer 0 · line ${line + 1}`);
    await page.keyboard.press('Control+F10');
    await stands(page, `layer 0 · line ${line}`);
    await page.locator('#run-unit').selectOption('layer');
    await page.locator('#run-step').click();
    await stands(page, 'layer 1');
    await page.locator('#run-stepBack').click();
    await stands(page, 'layer 0');
    for (const layer of [0, 1]) {
      await page.keyboard.press('F5');
      await stands(page, `prefill · layer ${layer} · line ${line}`);
    }
    await page.keyboard.press('Control+F5');
    await stands(page, `prefill · layer 0 · line ${line}`);
  });

  it(
    'walks the way back of a number, stops where it goes wrong, and goes on with the run',
    { timeout },
    async (context) => {
      const page = await openPage(context);
      await page.locator('#run-step').click();
      await stands(page, 'prefill');
      await page.locator('#caught-exploding').locator('xpath=../..').locator('.caught-value').fill('0.001');
      await page.locator('#caught-exploding').check();
      await page.locator('#add-point').fill('backward blocks.*.attn_out');
      await page.keyboard.press('Enter');
      await page.locator('.point-name', { hasText: 'in backward of blocks.*.attn_out' }).waitFor();
      await page.locator('#way-back').fill(`logit("${tour.expected}")`);
      await page.keyboard.press('Enter');
      await page.locator('#way-back-at', { hasText: 'grad(logits)' }).waitFor();
      await page.keyboard.press('F5');
      await page.locator('#standing').getByText('something went wrong').waitFor();
      await page.keyboard.press('F5');
      await page.locator('#standing').getByText('at a breakpoint').waitFor();
      const told = await page.locator('#way-back-at').textContent();
      expect(told).toMatch(/^Way back of logit\(.*\) = .*: grad\(blocks\.\d+\.attn_out\), norm \d/);
      const layer = /blocks\.(\d+)/.exec(told ?? '')?.[1] ?? '';
      await stands(page, `layer ${layer}`);
      await page.locator('#run-unit').selectOption('layer');
      await page.locator('#run-stepBack').click();
      await page.locator('#way-back-at', { hasText: `grad(blocks.${layer}.resid_post)` }).waitFor();
      await page.locator('#scope-gradients').click();
      await page.locator('#scopes').getByText(`grad(blocks.${layer}.attn_out)`).first().waitFor();
      await page.locator('#way-back-leave').click();
      await page.locator('#way-back').waitFor();
      await stands(page, 'prefill');
      await page.locator('#way-back').fill('rank(" a")');
      await page.keyboard.press('Enter');
      await page.locator('.mistake[role=alert]').waitFor();
      await page.locator('#run-continue').click();
      await stands(page, 'the step is over');
    },
  );

  it('shows where it stands on the board, and stops where its margins were clicked', { timeout }, async (context) => {
    const page = await openPage(context);
    const rows = 8;
    const box = (await page.locator('#board-canvas').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const height = Math.min(58, (box.height - 22) / rows);
    await page.mouse.click(box.x + 20, box.y + (rows - 3.5) * height); // layer 2: row 3, the embedding's is row 0
    await page.locator('.board-mark').waitFor();
    await page.locator('.point-name', { hasText: 'layer 2' }).waitFor();
    await page.keyboard.press('F5');
    await stands(page, 'layer 2');
    expect(await page.locator('#playhead').getAttribute('aria-label')).toBe('The run stands before L2');
    await page.locator('#what').getByText('after L2').waitFor(); // everybody's focus follows
    await page.mouse.click(box.x + 100, box.y + 1.5 * height, { button: 'right' });
    await page.getByRole('menuitemcheckbox', { name: /layer 5 of token 1/ }).click();
    await page.keyboard.press('F5');
    await stands(page, 'layer 5');
    expect(await page.locator('.board-mark').count()).toBe(2);
    await page.locator('#board-canvas').focus();
    await page.keyboard.press('F9'); // at the layer in focus
    await page.locator('.point-name').getByText('layer 5', { exact: true }).waitFor();
    // A layer chosen on the board has the listing show it: all are in one loop.
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.locator('#listing').getAttribute('aria-activedescendant')).toBe('line-4');
    const motion = () => page.evaluate('getComputedStyle(document.getElementById("playhead")).transitionDuration');
    expect(await motion()).toMatch(/^0\.12s/);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await motion()).toMatch(/^0s/);
  });

  it('can be driven by keyboard alone, with a condition', { timeout }, async (context) => {
    const page = await openPage(context);
    const line = await lineOf(page, 'attn.pattern = Softmax');
    await page.locator('#listing').focus();
    await page.keyboard.press('Home');
    for (let i = 1; i < line; i++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('F9');
    await page.keyboard.press('e');
    await page.keyboard.type('lay');
    await page.keyboard.press('Tab'); // takes what is offered
    await page.keyboard.type(' >');
    await page.locator('#point-editor .mistake').getByText('column 8').waitFor();
    await page.keyboard.type(' 3');
    await page.keyboard.press('Enter');
    await page.keyboard.press('c');
    await stands(page, 'layer 4');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('step out');
    await page.keyboard.press('Enter');
    await stands(page, /layer 4 · line 50/);
  });

  it('has its lists in tabs that go by arrows, Home and End', { timeout }, async (context) => {
    const page = await openPage(context);
    await page.locator('#section-points').focus();
    const open = async (key: string): Promise<(string | null)[]> => {
      await page.keyboard.press(key);
      const [chosen, focused] = [page.locator('[role=tab][id^=section-][aria-selected=true]'), page.locator(':focus')];
      return [await chosen.getAttribute('id'), await focused.getAttribute('id')];
    };
    for (const [key, name] of [
      ['ArrowRight', 'says'],
      ['End', 'log'],
      ['ArrowRight', 'points'],
      ['ArrowLeft', 'log'],
      ['Home', 'points'],
    ] as const)
      expect(await open(key)).toEqual([`section-${name}`, `section-${name}`]);
    await page.locator('#tab-program').focus();
    await page.keyboard.press('Home');
    await page.locator('#tab-block[aria-selected=true]').waitFor();
  });

  it('writes what a log point says, and goes on', { timeout }, async (context) => {
    const debug = {
      ...settings,
      points: [{ id: 1, on: true, layer: 2, token: 0, log: 'norm {norm(blocks.2.resid_pre)}' }],
    };
    const page = await openPage(context, debug);
    await page.locator('#section-log').click();
    await page.keyboard.press('F5');
    await page.locator('#log li', { hasText: /norm \d+/ }).waitFor();
    await page.locator('#standing').getByText('at the end').waitFor();
    expect(await page.locator('#log li').count()).toBe(1);
  });
});

describe('its values', () => {
  it('are those of inspect', { timeout }, async (context) => {
    const page = await openPage(context, { ...settings, points: [{ id: 1, on: true, layer: 3 }] });
    await page.keyboard.press('F5');
    await stands(page, 'layer 3');
    await page.locator('#scope-sites').click();
    const open = (name: string) => page.locator('#scopes .tree-row', { has: page.getByText(name, { exact: true }) });
    await open('resid_mid').first().click();
    await open('[14]').first().click();
    // A number of position 14: nothing else is open.
    const value = page.locator('#scopes .tree-row', { hasText: /^\[7\]-?\d/ }).locator('.item-value');
    const shown = Number((await value.textContent()) ?? NaN);
    const sites = 'blocks.3.resid_mid[position=14, model=7]';
    const found = await inspect.run(inspectInput.parse({ prompt: tour.prompt, sites }), {
      ...{ signal: new AbortController().signal, note: () => undefined },
    });
    const expected = 'sites' in found ? (found.sites[0]?.mean ?? NaN) : NaN;
    expect(Math.abs(expected)).toBeGreaterThan(0.1);
    expect(shown).toBeCloseTo(expected, 4);
  });

  it('can be set: the edit is in the experiment, and another answer comes out', { timeout }, async (context) => {
    const page = await openPage(context, { ...settings, points: [{ id: 1, on: true, layer: 6 }] });
    await page.keyboard.press('F5');
    await stands(page, 'layer 6');
    await page.locator('#scope-sites').click();
    const row = page.locator('#scopes .tree-row', { has: page.getByText('attn_out', { exact: true }) });
    await row.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('zero');
    await page.keyboard.press('Enter');
    await page.locator('#said-after').waitFor();
    expect(await page.locator('textarea.edit-text').first().inputValue()).toBe(
      'set blocks.6.attn_out = zero at step 0',
    );
    await row.locator('.item-value', { hasText: 'min 0 max 0' }).waitFor();
    await page.getByText('Edits count from here on').waitFor();
    // What the run says at the end of the step is what the board's run says with the edit.
    const said = (await page.locator('#said-after').textContent()) ?? '';
    await page.locator('#section-says').click();
    await page.locator('#run-unit').selectOption('token');
    await page.locator('#section-tokens').click();
    await page.locator('#run-step').click();
    await page.locator('#transcript .made').first().waitFor();
    expect(await page.locator('#transcript .made').first().textContent()).toBe(said.trim());
  });

  it('are watched from place to place', { timeout }, async (context) => {
    const page = await openPage(context);
    await page.locator('#add-watch').fill('layer + 1');
    await page.keyboard.press('Enter');
    await page.keyboard.press('F10');
    await stands(page, 'embed');
    await page.locator('#run-unit').selectOption('layer');
    for (const layer of [0, 1]) {
      await page.locator('#run-step').click();
      await stands(page, `layer ${layer}`);
      await page
        .locator('#watches .item-value')
        .getByText(String(layer + 1), { exact: true })
        .waitFor();
    }
  });
});

describe('a step', () => {
  it('asks for what its panel shows, and has nothing computed anew', { timeout }, async (context) => {
    const page = await openPage(context);
    await page.locator('#debug').click();
    await stands(page, 'embed');
    await expect.poll(async () => (await server().host.request('status', {})).pending, { timeout: 20_000 }).toBe(0);
    methods.length = 0;
    await page.locator('#run-unit').selectOption('layer');
    for (const layer of [0, 1, 2]) {
      await page.locator('#run-step').click();
      await stands(page, `layer ${layer}`);
      await page.locator('#what').getByText(`after L${layer}`).waitFor(); // the focus, which all tabs have
    }
    await expect.poll(() => methods.length, { timeout: 20_000 }).toBeGreaterThan(3);
    // the top bar asks now and then how much memory there is, which computes nothing
    expect(methods.filter((method) => !['debug.view', 'status'].includes(method))).toEqual([]);
  });
});

describe('the session’s run', () => {
  it('is one in two tabs', { timeout }, async (context) => {
    const one = await openPage(context);
    const other = await openPage(context, null);
    await one.locator('#line-6 .gutter').click();
    await other.locator('#line-6 .point-mark').waitFor();
    await other.locator('#run-continue').click();
    await stands(one, 'layer 0 · line 6');
    await one.locator('#run-stepIn').click();
    await stands(other, 'layer 0 · line 7');
    await stop(other).click();
    await one.locator('#debug').waitFor();
  });

  it('says when the text is another by now', { timeout }, async (context) => {
    const page = await openPage(context);
    await page.locator('#debug').click();
    await stands(page, 'embed');
    await page.locator('#prompt textarea').first().fill('Then Nina went');
    await page.getByText('The text is another by now').waitFor();
    await page.locator('.hint').getByRole('button', { name: 'Restart' }).click();
    await page.locator('.hint').waitFor({ state: 'detached' });
    await page.locator('#section-tokens').click();
    await expect.poll(() => page.locator('#transcript .chip').count(), { timeout: 30_000 }).toBe(4);
  });

  it('ends with the host; breakpoints and watches go into the next', { timeout }, async (context) => {
    const page = await openPage(context, { ...settings, points: [{ id: 1, on: true, layer: 2 }], watches: ['layer'] });
    await page.keyboard.press('F5');
    await stands(page, 'layer 2');
    process.kill(server().host.pid ?? 0, 'SIGKILL');
    await page.locator('#host-died').waitFor();
    await page.getByText('Breakpoints and watches are kept').waitFor();
    expect(await page.locator('#run-continue').isDisabled()).toBe(true);
    await page.locator('#restart').click();
    await page.locator('#host-died').waitFor({ state: 'detached' });
    expect(await page.locator('.point-name').textContent()).toBe('layer 2');
    await page.locator('#run-continue').click();
    await stands(page, 'layer 2');
    await page.locator('#watches .item-value').getByText('2', { exact: true }).waitFor();
  });

  it('is brought back by the address, breakpoints and watches too', { timeout }, async (context) => {
    const debug = {
      points: [{ id: 4, on: false, line: 6, condition: 'layer > 2' }],
      watches: ['layer'],
      caught: ['nan'],
    };
    const page = await openPage(context, debug);
    await page.locator('#line-6 .point-mark.off').waitFor();
    const link = page.url();
    await page
      .locator('.point-line')
      .getByRole('button', { name: /^Remove/ })
      .click();
    await page.locator('#line-6 .point-mark').waitFor({ state: 'detached' });
    await page.goto('about:blank');
    await page.goto(link);
    await page.locator('.point-name', { hasText: 'line 6 · if layer > 2' }).waitFor();
    expect(await page.locator('#caught-nan').isChecked()).toBe(true);
    await page.locator('#watches').getByText('layer', { exact: true }).waitFor();
  });
});
