/**
 * Writes the pictures of docs/images: the page on the default model, in a real Chromium. Run it after the page changed,
 * and look at each: `npx tsx scripts/screenshots.ts`. Linux on x64 only.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { startPage } from '../src/server/index.js';
import { launchBrowser } from '../test/support/browser.js';
import { builtPageFolder } from '../test/support/page.js';
import { root } from '../test/support/root.js';

interface Shot {
  readonly name: string;
  readonly theme: 'light' | 'dark';
  /** The tab of the detail. */
  readonly tab: string;
  readonly edits?: readonly string[];
  /** The layer in focus, at the last token. */
  readonly layer?: number;
  readonly head?: number;
}

/** The damaged head of the default model. */
const { layer, head } = JSON.parse(readFileSync(path.join(root, 'zoo/tour.json'), 'utf8')) as {
  readonly layer: number;
  readonly head: number;
};

const shots: readonly Shot[] = [
  { name: 'first-minute', theme: 'light', tab: 'block' },
  { name: 'attention', theme: 'light', tab: 'attention', layer, head },
  {
    name: 'mended',
    theme: 'dark',
    tab: 'residual',
    layer,
    edits: [`scale blocks.${layer}.attn.z[head=${head}] by 0.4`],
  },
];

const size = { width: 1280, height: 800 };
/** How long the page may need to be still: the pictures are of a finished page. */
const settleMs = 2500;

const hashOf = async (page: Page, { tab, edits = [], layer, head, theme }: Shot): Promise<string> => {
  const last = (await page.locator('#chips .chip').count()) - 1;
  const given = new URLSearchParams(new URL(page.url()).hash.slice(1));
  const state = JSON.parse(given.get('s') ?? '{}') as object;
  const focus = { after: `blocks.${layer ?? 0}`, position: last, ...(head === undefined ? {} : { head }) };
  const params = { s: JSON.stringify({ ...state, edits: edits.map((text) => ({ text, on: true })) }), tab, theme };
  return new URLSearchParams({ ...params, ...(layer === undefined ? {} : { at: JSON.stringify(focus) }) }).toString();
};

const folder = await builtPageFolder();
const images = path.join(root, 'docs/images');
mkdirSync(images, { recursive: true });
const server = await startPage({ port: 0, page: folder });
const browser = await launchBrowser();
try {
  for (const shot of shots) {
    const page = await browser.newPage({ viewport: size, locale: 'en-US' });
    await page.goto(server.address);
    await page.locator('#what').getByText('after').waitFor();
    const hash = await hashOf(page, shot);
    await page.goto('about:blank');
    await page.goto(`${server.address}#${hash}`);
    await page.locator('#what').getByText('after').waitFor();
    await page.waitForTimeout(settleMs);
    await page.screenshot({ path: path.join(images, `${shot.name}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
  await server.dispose();
  rmSync(path.dirname(folder), { recursive: true, force: true });
}
