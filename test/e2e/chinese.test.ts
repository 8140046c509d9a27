/** The page in Chinese: also what the operations say stands in it in Chinese. */
import { describe, expect, it } from 'vitest';
import { addressOf, usePage } from './support/page-server.js';

const timeout = 120_000;
const page = usePage();
const zh = { lang: 'zh' };
const soon = { timeout: 60_000, interval: 100 };
const prompt = 'Then Nina and Mara went to the market. Mara gave a basket to';

describe('the page in Chinese', () => {
  it('tells in Chinese why a run was refused, and what is wrong with an edit', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }));
    await on.goto('about:blank');
    const edits = [{ text: 'drop head 9.9', on: true }];
    await on.goto(page.server().address + addressOf({ prompt, edits }, zh));
    const alert = on.locator('#experiment [role=alert]');
    await alert.waitFor();
    expect(await alert.textContent()).toBe('没有头 9.9。层从 0 到 6，头从 0 到 7。');
    await on.locator('#add-edit').fill('drop head three');
    await on.getByText('第 1 行第 11 列：应为层和头').waitFor();
    await on.locator('button').filter({ hasText: 'English' }).click();
    await expect.poll(() => alert.textContent(), soon).toContain('there is no head 9.9');
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('tells in Chinese what is noted of a run', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }));
    await on.goto('about:blank');
    const judge = { model: 'zoo:judge', prompt: 'The cat is in the box' };
    await on.goto(page.server().address + addressOf(judge, zh));
    await on.locator('#next').getByText('提示里没有掩码：请在要找词的地方写 <mask>').waitFor();
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});
