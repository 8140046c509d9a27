/** A recording in a model's place, on the page, in a real Chromium. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runInput } from '../../src/protocol/index.js';
import { run } from '../../src/service/index.js';
import { addressOf, usePage } from './support/page-server.js';

vi.setConfig({ testTimeout: 90_000 });

const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-recording-'));
const record = path.join(folder, 'run.cutrec');
const { openBare, methods, wrong } = usePage();

beforeAll(async () => {
  const recordSites = 'blocks.*.resid_post,blocks.*.attn.pattern';
  const given = { model: 'zoo:world', prompt: 'Then Nina and Mara', maxNewTokens: 2, record, recordSites };
  await run.run(runInput.parse(given), { signal: new AbortController().signal, note: () => undefined });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

it('is walked along in both directions, and its values are looked at', async (context) => {
  const page = await openBare(context, addressOf({ model: record }));
  await page.locator('#listing .line').first().waitFor();
  methods.length = 0;
  for (const gone of ['#board', '#prompt', '#experiment', '#tab-lens', '#detach'])
    expect(await page.locator(gone).count(), gone).toBe(0);
  await page.locator('#run-unit').selectOption('layer');
  for (const layer of [1, 2]) {
    await page.locator('#run-step').click();
    await page.locator('#process-place').getByText(`blocks.${layer}`, { exact: true }).waitFor();
  }
  await page.locator('#run-stepBack').click();
  await page.locator('#process-place').getByText('blocks.1', { exact: true }).waitFor();
  await page.locator('#tab-patterns').click();
  await page.locator('.pattern-head').nth(7).waitFor();
  await page.locator('#tab-value').click();
  await page.locator('#value-name').fill('blocks.1.resid_post');
  await page.locator('#value-name').press('Enter');
  await page.locator('#value').getByText('batch 1 × position 5 × model 128').waitFor();
  expect(await page.locator('#value .histogram rect').count()).toBe(61);
  expect(methods.filter((method) => method !== 'debug.view')).toEqual([]);
  await page.close();
  expect(wrong).toEqual([]);
});
