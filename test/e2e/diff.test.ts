/** Where two runs part, on the page, in a real Chromium. */
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it, vi, type TestContext } from 'vitest';
import { llama } from '../cli/command.js';
import { startScript } from '../live/process.js';
import { until } from '../server/tab.js';
import { root } from '../support/root.js';
import { addressOf, usePage } from './support/page-server.js';

vi.setConfig({ testTimeout: 120_000 });

const { open, wrong } = usePage();
const ending: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
  expect(wrong.splice(0)).toEqual([]);
});

const ids = [5, 42, 9, 9, 31, 0, 58, 23];
const values = path.join(root, 'test/golden/diff/scale-twice.safetensors');

const openDiff = async (context: TestContext, state: object, trials: object = {}): Promise<Page> => {
  const page = await open(context, addressOf(state, { tab: 'diff', try: JSON.stringify(trials) }));
  ending.push(() => page.close());
  return page;
};

const verdict = (page: Page, text: string) => page.locator('#diff-verdict').getByText(text).waitFor();

describe('where two runs part', () => {
  it('is told of values from elsewhere: the first site, the mistake, and the picture', async (context) => {
    const page = await openDiff(context, { model: llama, ids });
    await page.locator('#diff').getByText('Name what A is compared with').waitFor();
    await page.locator('#diff-other').fill(values);
    await page.locator('#diff-other').press('Enter');
    await page.locator('#diff-run').click();
    await verdict(page, '40 of the 45 sites that both have differ by more than 1.0e−4.');
    const first = page.locator('.finding.first');
    expect(await first.locator('.finding-site').textContent()).toBe('blocks.0.attn.pattern');
    expect(await first.locator('.likely').textContent()).toContain("attention's scale 0.353553 is applied twice");
    expect(await first.textContent()).toContain('45 of 45 sites agree');
    // On the picture: the block where they part is marked, and the part in it once it is open.
    const marked = page.locator('#diff-picture .block', { hasText: 'first differs here' });
    expect(await marked.count()).toBe(1);
    await first.locator('.finding-site').click();
    await page.locator('#diff-picture .part.attention.marked').waitFor();
    expect(await page.locator('#diff-picture .marked').count()).toBe(1);
    expect(await marked.textContent()).toContain('L0');
    const shown = page.locator('#diff-sites tbody tr');
    expect(await shown.filter({ hasText: '◆ blocks.0.attn.pattern' }).count()).toBe(1);
    expect((await shown.filter({ hasText: 'blocks.0.attn.q' }).first().getAttribute('class')) ?? '').not.toContain('differs'); // prettier-ignore
  });

  it('takes the run beside, and says where all agree', async (context) => {
    const beside = { name: '', edits: [{ text: 'scale blocks.1.attn.z[head=2] by 0.5', on: true }] };
    const page = await openDiff(context, { model: llama, ids, beside });
    await page.locator('#diff-run').click();
    await verdict(page, 'sites that both have differ');
    expect(await page.locator('.finding.first .finding-site').textContent()).toBe('blocks.1.attn.z');
    await page.locator('#diff-other').fill(llama);
    await page.locator('#diff-other').press('Enter');
    await page.getByText('What is shown is of an earlier run.').waitFor();
    await page.locator('#diff-run').click();
    await verdict(page, 'agree up to');
    expect(await page.locator('.finding').count()).toBe(0);
  });

  it('takes a live process, with its token', async (context) => {
    const process = await startScript(context, 'serve.py', llama, 'idle');
    ending.push(() => process.end());
    const page = await openDiff(context, { model: llama, ids }, { other: `${process.host}:${process.port}` });
    await page.locator('#diff-token').fill(process.token);
    await page.locator('#diff-run').click();
    await verdict(page, 'agree up to');
    expect(page.url()).not.toContain(process.token);
    await until(() => page.locator('#diff-sites tbody tr').count()).toBeGreaterThan(5);
  });
});
