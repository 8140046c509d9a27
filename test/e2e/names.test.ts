/** What can be operated has a name that is read out, and is reached without a mouse. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { addressOf, usePage } from './support/page-server.js';

const timeout = 240_000;
const page = usePage();
const prompt = 'Then Nina and Mara went to the market. Mara gave a basket to';
const edits = [{ text: 'scale blocks.6.attn.z[head=2] by 0.4', on: true }];
const state = { prompt, word: ' Nina', edits, beside: { name: '', edits: [] } };
const at = JSON.stringify({ after: 'blocks.6', position: 14, head: 2 });

/** Runs in the page: what can be operated and has no name, as the beginning of its markup. */
const nameless = `(() => {
  const controls = 'button, select, input, textarea, canvas, progress, svg[role], [role=button], [role=switch], ' +
    '[role=tab], [role=separator], [role=application], [role=img], [tabindex="0"]';
  const nameOf = (e) => e.getAttribute('aria-label') ||
    (e.getAttribute('aria-labelledby') || '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join('') ||
    [...(e.labels ?? [])].map((label) => label.textContent).join('') ||
    (e.matches('input, select, textarea, canvas, progress') ? '' : e.textContent);
  return [...document.querySelectorAll(controls)]
    .filter((e) => e.checkVisibility() && e.closest('[aria-hidden=true]') === null && nameOf(e).trim() === '')
    .map((e) => e.outerHTML.slice(0, 120));
})()`;

/** Runs in the page: pictures that a mouse can operate and the keys cannot. */
const mouseOnly = `[...document.querySelectorAll('canvas')]
  .filter((e) => e.checkVisibility() && getComputedStyle(e).cursor !== 'auto' && e.tabIndex < 0).map((e) => e.id)`;

const tabs = (on: Page) => on.locator('.tabs [role=tab]');

describe.each(['en', 'zh'])('the controls of the page in %s', (lang) => {
  it('have names, on every tab, and the pictures have keys', { timeout }, async (test) => {
    const on = await page.open(test, addressOf(state, { at, side: 'difference' }));
    await on.goto('about:blank');
    await on.goto(page.server().address + addressOf(state, { at, side: 'difference', lang }));
    await on.locator('#what').getByText('14').waitFor();
    const count = await tabs(on).count();
    expect(count).toBeGreaterThan(10);
    for (let i = 0; i < count; i++) {
      await tabs(on).nth(i).click();
      await on.locator('[role=tabpanel] h2').first().waitFor();
      const tab = await tabs(on).nth(i).textContent();
      expect([tab, await on.evaluate(nameless)]).toEqual([tab, []]);
      expect([tab, await on.evaluate(mouseOnly)]).toEqual([tab, []]);
    }
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});

describe('numbers of pictures beside each other', () => {
  it('are told by keys', { timeout }, async (test) => {
    const on = await page.open(test, addressOf(state, { tab: 'beside', at }));
    const first = on.locator('#beside-panel .three canvas').first();
    await first.focus();
    await on.keyboard.press('ArrowDown');
    await on
      .locator('#what')
      .getByText(/^A\s+·\s+1, 0: /)
      .waitFor();
    await on.getByRole('tab', { name: 'Neurons' }).click();
    await on.locator('#neuron-strips').focus();
    await on.keyboard.press('ArrowDown');
    await on.getByText('The strongest of layer 5').waitFor();
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});
