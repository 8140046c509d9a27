/**
 * Steps in the page in a real Chromium without a GPU: how long it takes from the key to the frame that shows where the
 * run stands, with the program's panel, stack and values open. On the default model, and on one of GPT-2 small's size
 * with random weights, 64 tokens.
 *
 *     tsx bench/page-steps.ts
 */
import { rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { Client } from '../src/client/index.js';
import { startPage } from '../src/server/index.js';
import { launchBrowser } from '../test/support/browser.js';
import { builtPageFolder } from '../test/support/page.js';
import { gpt2Small, prompt, quantile } from './page-models.js';

const steps = 60;
/** Between two steps, so that what the panel looks at is there: as somebody steps who reads. */
const readMs = 250;

/** Milliseconds from a key to the frame after the line above the listing says another place. */
const measure = (page: Page, key: Readonly<Record<string, unknown>>, betweenMs: number): Promise<number[]> =>
  page.evaluate<number[]>(`(async () => {
    const times = [];
    const place = document.getElementById('standing');
    for (let i = 0; i < ${steps}; i++) {
      const from = performance.now();
      const shown = new Promise((done) => {
        const observer = new MutationObserver(() => {
          observer.disconnect();
          requestAnimationFrame(() => done());
        });
        observer.observe(place, { subtree: true, childList: true, characterData: true });
      });
      document.dispatchEvent(new KeyboardEvent('keydown', { ...${JSON.stringify(key)}, bubbles: true }));
      await shown;
      times.push(performance.now() - from);
      await new Promise((done) => setTimeout(done, ${betweenMs}));
    }
    return times;
  })()`);

/** Until the host has had nothing to do for half a second. */
const settled = async (host: Client): Promise<void> => {
  for (let quiet = 0; quiet < 10;) {
    await new Promise((done) => setTimeout(done, 50));
    quiet = (await host.request('status', {})).pending === 0 ? quiet + 1 : 0;
  }
};

const folder = await builtPageFolder();
const server = await startPage({ port: 0, page: folder });
const browser = await launchBrowser();
const told = (times: readonly number[]): string =>
  `median ${quantile(times, 0.5).toFixed(0)} ms, 95 % under ${quantile(times, 0.95).toFixed(0)} ms`;
try {
  console.log(`load before: ${loadavg()[0]?.toFixed(1) ?? '?'}`);
  const cases = {
    'world, 15 tokens': { model: 'zoo:world', prompt: prompt(14) },
    'GPT-2 small, 64 tokens': { model: gpt2Small(), prompt: prompt(63) },
  };
  for (const [name, state] of Object.entries(cases)) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
    page.setDefaultTimeout(120_000);
    const given = { s: JSON.stringify({ name: '', edits: [], ...state }), tab: 'program' };
    await page.goto(`${server.address}#${new URLSearchParams(given).toString()}`);
    await page.locator('#what').getByText('after').waitFor();
    await settled(server.host); // the board is read part by part
    await page.locator('#run-restart:not(:disabled), #debug:not(:disabled)').first().click();
    await page.locator('#run-reverse:disabled').waitFor();
    await page.locator('.listing .here').waitFor();
    console.log(`${name}, a step at a time: ${told(await measure(page, { key: 'F10' }, readMs))}`);
    console.log(`${name}, one after the other: ${told(await measure(page, { key: 'F10' }, 0))}`);
    console.log(`${name}, back: ${told(await measure(page, { key: 'F10', ctrlKey: true }, readMs))}`);
    await page.close();
  }
} finally {
  await browser.close();
  await server.dispose();
  rmSync(path.dirname(folder), { recursive: true, force: true });
}
