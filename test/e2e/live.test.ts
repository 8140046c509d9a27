/** The page on a live PyTorch process, in a real Chromium. */
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it, vi, type TestContext } from 'vitest';
import { llama } from '../cli/command.js';
import { startScript, type LiveProcess } from '../live/process.js';
import { until } from '../server/tab.js';
import { usePage } from './support/page-server.js';

vi.setConfig({ testTimeout: 120_000 });

const { openBare, wrong, methods } = usePage();
const ending: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
  expect(wrong.splice(0)).toEqual([]);
});

const begun = async (context: TestContext, script: string, ...args: readonly string[]): Promise<LiveProcess> => {
  const process = await startScript(context, script, ...args);
  ending.push(() => process.end());
  return process;
};

/** In the chooser: a port alone is one of this machine. */
const typeAddress = async (page: Page, { port, token }: Pick<LiveProcess, 'port' | 'token'>): Promise<void> => {
  await page.locator('#model').click();
  const form = page.locator('#model-chooser .attach-form');
  await form.locator('.attach-address').fill(String(port));
  await form.locator('.attach-token').fill(token);
  await form.getByRole('button', { name: 'Attach' }).click();
};

/** Attaches as one does in the page. */
const attach = async (context: TestContext, { port, token }: LiveProcess): Promise<Page> => {
  const page = await openBare(context);
  ending.push(() => page.close());
  await typeAddress(page, { port, token });
  await page.locator('#process-phase').getByText('attached', { exact: true }).waitFor();
  return page;
};

const stands = (page: Page, text: string) => page.locator('#standing strong').getByText(text).waitFor();
const phase = (page: Page, text: string) => page.locator('#process-phase').getByText(text, { exact: true }).waitFor();

/** The number of the listing's line that has a text. */
const lineOf = async (page: Page, text: string): Promise<number> => {
  const id = await page.locator('#listing .line', { hasText: text }).first().getAttribute('id');
  return Number(id?.replace('line-', ''));
};

const addPoint = async (page: Page, text: string): Promise<void> => {
  await page.locator('#add-point').fill(text);
  await page.locator('#add-point').press('Enter');
};

const watched = (page: Page, i = 0) => page.locator('#watches .item-value').nth(i).textContent();

describe('the page of a live process', () => {
  it('attaches, stops at a module, shows a value, changes it, goes on, and tells of the end', async (context) => {
    const process = await begun(context, 'serve.py', llama, 'generate');
    const page = await attach(context, process);
    await page.locator('#standing').getByText('attached: set breakpoints').waitFor();
    methods.length = 0; // the model of the first minute was there before
    expect(page.url()).not.toContain(process.token);
    expect(await page.locator('#listing .line').first().textContent()).toContain('LlamaForCausalLM');
    // What a process cannot do, and what would need a model of ours, is not there; the reason is.
    for (const gone of ['#run-stepBack', '#run-reverse', '#run-restart', '#board', '#prompt', '#compare'])
      expect(await page.locator(gone).count(), gone).toBe(0);
    await page.locator('#process summary').click();
    await page.getByText('run a model of ours again and again').waitFor();

    const line = await lineOf(page, 'mlp: LlamaMLP');
    await page.locator(`#line-${line} .gutter`).click({ button: 'right' });
    await page.locator('#point-moment').selectOption('after');
    await page.locator('#point-condition').fill('layer == 1');
    await page.locator('#point-editor').getByRole('button', { name: 'Apply' }).click();
    await page.locator('#run-continue').click();
    await stands(page, 'after model.layers.1.mlp');
    expect(await page.locator('#listing .line.here').getAttribute('id')).toBe(`line-${line}`);
    expect(await page.locator('#frames').textContent()).toContain('model.layers.1 (LlamaDecoderLayer)');

    await page.locator('#add-watch').fill('norm(blocks.1.mlp_out)');
    await page.locator('#add-watch').press('Enter');
    await until(() => watched(page)).toMatch(/^\d/);
    const before = Number(await watched(page));
    await page.locator('#tab-value').click();
    await page.locator('#value').getByText('batch 1 × position 4 × model 32').waitFor();
    expect(await page.locator('#value .histogram rect').count()).toBe(61);
    const norm = await page.locator('#value dt', { hasText: 'norm' }).locator('+ dd').textContent();
    expect(Number(norm)).toBeCloseTo(before, 1);

    // Set: the first of the module's outputs, by its row.
    const row = page.locator('#stopped .tree-row', { hasText: 'model.layers.1.mlp' }).first();
    await row.hover();
    await row.getByRole('button', { name: 'Set' }).click();
    await page.keyboard.type('*2');
    await page.keyboard.press('Enter');
    await page.locator('#experiment .edits li').waitFor();
    await until(async () => Number(await watched(page)) / before).toBeCloseTo(2, 3);
    await page.locator('#experiment [role=switch]').click();
    await until(async () => Number(await watched(page)) / before).toBeCloseTo(1, 3);
    await page.locator('#experiment').getByLabel('Remove', { exact: false }).first().click();

    await page.locator('#tab-patterns').click();
    await page.locator('.pattern-head').nth(3).click();
    await page.locator('#patterns').getByText('Head 3').waitFor();
    await page.locator('#tab-lens').click();
    await until(() => page.locator('.lens-table tbody tr').count()).toBe(2); // as far as the pass has come

    await page.locator('#run-stepOut').click();
    await page.locator('#process-place').getByText('after model.layers.1', { exact: true }).waitFor();
    await page.locator('#tab-program').click();
    await stands(page, 'after model.layers.1 ·');
    await page.locator('#frames .frame-again').first().click();
    await stands(page, 'before model.layers.1 ·');
    await page.locator('#run-continue').click();
    await stands(page, 'after model.layers.1.mlp'); // it runs again, and comes to the breakpoint

    await page.locator('#module-changes').selectOption('skip');
    await page.locator('#experiment').getByLabel('skip module model.layers.1.mlp', { exact: true }).waitFor();
    await until(async () => Number(await watched(page)) / before).not.toBeCloseTo(1, 2);

    await process.end();
    await phase(page, 'not attached');
    await page.locator('#process').getByText('the process is gone').waitFor();
    const next = await begun(context, 'serve.py', llama, 'generate');
    await page.locator('#process .attach-address').fill(`127.0.0.1:${next.port}`);
    await page.locator('#process .attach-token').fill(next.token);
    await page.locator('#process .attach-form button').click();
    await phase(page, 'attached');
    const asked = methods.filter((method) => method !== 'debug.view');
    expect(asked).toEqual([]); // no model of ours was asked for anything
  });

  it('shows the steps of a training loop, and what they suggest, and that it has ended', async (context) => {
    const process = await begun(context, 'train.py', '--steps', '8', '--nan-at', '6');
    const page = await attach(context, process);
    await addPoint(page, 'backward blocks.1');
    await page.locator('#run-continue').click();
    await stands(page, 'backward of blocks.1');
    await page.locator('#scopes').getByText('grad(blocks.1)').waitFor();
    await page.locator('#caught-nan').check();
    await page.locator('#run-unit').selectOption('token');
    for (let i = 0; i < 12; i++) {
      const reason = await page.locator('#standing').textContent();
      if (reason?.includes('something went wrong')) break;
      await page.locator('#run-continue').click();
      await until(() => page.locator('#standing').textContent()).not.toBe(reason);
    }
    await page.locator('#standing').getByText('something went wrong').waitFor();
    await stands(page, 'blocks.1');
    await page.locator('#training').waitFor();
    expect(await page.locator('#training polyline').count()).toBe(2);
    expect(await page.locator('.layer-norms tr').count()).toBe(4);
    await page.locator('#caught-nan').uncheck();
    await page.locator('.point-line').getByRole('button', { name: 'Remove' }).click();
    await page.locator('#run-continue').click();
    await page.locator('#process').getByText('The process has ended').waitFor();
    expect(await process.ended).toBe(0);
  });

  it('says that a token is wrong, and lets the process go on when it is detached', async (context) => {
    const process = await begun(context, 'serve.py', llama, 'generate');
    const page = await openBare(context);
    ending.push(() => page.close());
    await typeAddress(page, { port: process.port, token: 'wrong' });
    await page.locator('#process').getByText('the token is wrong').waitFor();
    await page.locator('#process .attach-token').fill(process.token);
    await page.locator('#process .attach-form button').click();
    await phase(page, 'attached');
    await addPoint(page, 'blocks.2.resid_post');
    await page.locator('#run-continue').click();
    await stands(page, 'after model.layers.2');
    const made = process.lines.length;
    await page.locator('#detach').click();
    await phase(page, 'not attached');
    await until(() => process.lines.length).toBeGreaterThan(made);
    await page.locator('#model').click();
    await page.locator('#model-chooser').getByRole('button', { name: 'zoo:world' }).click();
    await page.locator('#board-canvas').waitFor(); // a model has its board again
  });
});
