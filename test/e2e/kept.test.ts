/** What took long is there again when the page is loaded anew, and in another tab, without a run. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { addressOf, usePage } from './support/page-server.js';

const timeout = 120_000;
const soon = { timeout: 60_000, interval: 100 };
const prompt = 'Then Nina and Mara went to the market. Mara gave a basket to';
const corrupt = 'Then Nina and Mara went to the market. Nina gave a basket to';

const page = usePage();
const tried = (tab: string, trials: object = {}): Record<string, string> => ({ tab, try: JSON.stringify(trials) });

/** Loads the page again, and forgets what it asked for before. */
const again = async (on: Page): Promise<void> => {
  page.methods.length = 0;
  await on.reload();
};

describe('results of what took long', () => {
  for (const [tab, method, shown, trials] of [
    ['patching', 'patch', '#patch-strongest', { corrupt }],
    ['circuit', 'circuit', '#circuit-graph', { corrupt, kept: 0.5 }],
    ['attack', 'attack', '#attack-ends', {}],
  ] as const)
    it(`are kept: ${method}`, { timeout }, async (test) => {
      const on = await page.open(test, addressOf({ prompt }, tried(tab, trials)));
      await on.locator(`#${method}-run`).click();
      await on.locator(shown).waitFor();
      const told = await on.locator(shown).textContent();
      await again(on);
      await on.locator(shown).waitFor();
      expect(await on.locator(shown).textContent()).toBe(told);
      expect(page.methods).toContain('compare');
      expect(page.methods).not.toContain(method);
      const other = await page.open(test, new URL(on.url()).hash);
      await other.locator(shown).waitFor();
      expect(page.methods).not.toContain(method);
      await other.close();
      await on.close();
      expect(page.wrong).toEqual([]);
    });

  it('are of what is asked now: other settings have their own, and come back', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, tried('patching', { corrupt, sites: 'z' })));
    const summary = (): Promise<string | null> => on.locator('#patch-strongest').textContent();
    await on.locator('#patch-run').click();
    await on.locator('#patch-strongest').waitFor();
    const heads = await summary();
    await on.locator('#patch-site-z').click();
    await on.locator('#patch-site-mlp_out').click();
    await on.getByText('What is shown is of an earlier run.').waitFor();
    await on.locator('#patch-run').click();
    await expect.poll(summary, soon).not.toBe(heads);
    await on.locator('#patch-site-mlp_out').click();
    await on.locator('#patch-site-z').click();
    await expect.poll(summary, soon).toBe(heads);
    await again(on);
    await on.locator('#patch-strongest').waitFor();
    expect(await summary()).toBe(heads);
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});
