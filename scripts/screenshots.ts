/**
 * Writes the pictures of docs/images: the page on the default model, in a real Chromium. Run it after the page changed,
 * and look at each: `npx tsx scripts/screenshots.ts`, or some of them by name. Linux on x64 only.
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
  /** The position in focus; the last where left out. */
  readonly position?: number;
  /** Fields of the session that differ from the first minute's. */
  readonly state?: object;
  /** Of two runs, which is looked at. */
  readonly side?: 'a' | 'b' | 'difference';
  /** What the debugger stops at, and what is opened of its values; the run is made to go there. */
  readonly run?: { readonly points: readonly object[]; readonly watches: readonly string[]; readonly scope: string };
  /** Another model than the default one, with its prompt. */
  readonly model?: string;
  readonly prompt?: string;
  readonly target?: string;
  readonly after?: string;
  /** What is tried besides the run. */
  readonly trials?: object;
  /** Pixels of a cell of the board. */
  readonly zoom?: number;
  /** What is done before the picture is taken. */
  readonly act?: (page: Page) => Promise<void>;
}

/** Line of the attention's softmax in the listing of the default model. */
const softmaxLine = 43;
const stopped: Shot['run'] = {
  points: [
    { id: 1, on: true, line: softmaxLine, condition: 'layer > 3' },
    { id: 2, on: true, layer: 6 },
    { id: 3, on: false, layer: 2, token: 9 },
  ],
  watches: ['norm(blocks.4.resid_pre)', 'lens_prob(" Nina")'],
  scope: 'attention',
};

/** The damaged head of the default model. */
const { layer, head } = JSON.parse(readFileSync(path.join(root, 'zoo/tour.json'), 'utf8')) as {
  readonly layer: number;
  readonly head: number;
};

/** Scrolls a panel until something is at its top. */
const scrollTo = (page: Page, selector: string): Promise<unknown> =>
  page.evaluate(`document.querySelector('${selector}').scrollIntoView()`);

/** The first minute's prompt, with another giver. */
const otherGift = 'Then Nina and Mara went to the market. Nina gave a basket to';

const shots: readonly Shot[] = [
  {
    ...{ name: 'diff', theme: 'light', tab: 'diff', layer: 0 },
    state: { beside: { name: '', edits: [{ text: 'config rope_theta = 500000', on: true }] } },
    act: async (page) => {
      await page.locator('#diff-run').click();
      await page.locator('.finding.first .finding-site').click();
      await page.locator('#diff-picture .marked').waitFor();
      await scrollTo(page, '.likely');
    },
  },
  { name: 'first-minute', theme: 'light', tab: 'block' },
  { name: 'attention', theme: 'light', tab: 'attention', layer, head },
  {
    ...{ name: 'attention-large', theme: 'light', tab: 'attention', layer, head },
    act: async (page) => {
      await page.getByLabel('hide specials').check();
      await page.getByLabel('rest sums to 1').check();
      await page.locator('#head-grid').focus();
      await page.keyboard.press('Space');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Space');
      await page.getByRole('heading', { name: 'Mean of' }).waitFor();
      await page.locator('#head-map').focus();
      for (const key of ['ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
    },
  },
  { name: 'board-inside', theme: 'light', tab: 'block', layer, zoom: 250 },
  { name: 'neurons', theme: 'dark', tab: 'neurons', layer },
  {
    ...{ name: 'weights', theme: 'light', tab: 'weights', layer },
    act: async (page) => {
      await page.locator('.spectrum-chart').waitFor();
      await page.locator('.spectrum dl').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'mended',
    theme: 'dark',
    tab: 'residual',
    layer,
    edits: [`scale blocks.${layer}.attn.z[head=${head}] by 0.4`],
  },
  {
    ...{ name: 'patching', theme: 'light', tab: 'patching', layer, head, trials: { corrupt: otherGift } },
    act: async (page) => {
      await page.locator('#patch-run').click();
      await page.locator('#patch-strongest').waitFor();
      await page.locator('#patch-grid-resid_pre').focus();
      for (const key of ['ArrowDown', 'End']) await page.keyboard.press(key);
      await page.locator('#patch-on-board').click();
      await scrollTo(page, '#patch-corrupt');
    },
  },
  {
    ...{ name: 'patching-heads', theme: 'dark', tab: 'patching', layer, head },
    trials: { corrupt: otherGift, sites: 'z' },
    act: async (page) => {
      await page.locator('#patch-run').click();
      await page.locator('#patch-strongest').waitFor();
      await scrollTo(page, '#patch-summary');
    },
  },
  {
    ...{ name: 'circuit', theme: 'dark', tab: 'circuit', trials: { corrupt: otherGift, kept: 0.8 } },
    act: async (page) => {
      await page.locator('#circuit-run').click();
      await page.locator('#circuit-graph').waitFor({ timeout: 120_000 });
      await scrollTo(page, '#circuit-summary');
    },
  },
  {
    ...{ name: 'attack', theme: 'light', tab: 'attack', trials: { toward: ' Clara' } },
    act: async (page) => {
      await page.locator('#attack-run').click();
      await page.locator('#attack-ends').waitFor();
    },
  },
  { name: 'model', theme: 'light', tab: 'model', layer: 3, edits: ['skip layer 1', 'repeat layer 5'] },
  {
    ...{ name: 'model-of-two-stacks', theme: 'dark', tab: 'model', model: 'zoo:translate', target: 'onkir' },
    ...{ prompt: 'the dog sees the big cat', after: 'decoder.blocks.1', position: 1 },
  },
  {
    ...{ name: 'sampling', theme: 'light', tab: 'sampling' },
    state: { prompt: 'The box is in the', word: undefined },
    edits: ['repetition-penalty 1.2', 'temperature 1.1', 'top-k 12', 'top-p 0.8', 'seed 3'],
  },
  {
    ...{ name: 'two-prompts', theme: 'light', tab: 'beside', layer: 5, head: 1, side: 'difference' },
    state: { beside: { prompt: 'Then Nina and Sara went to the market. Sara gave a basket to' } },
  },
  {
    ...{ name: 'two-experiments', theme: 'dark', tab: 'residual', layer, head, side: 'difference' },
    edits: [`drop head ${layer}.${head}`],
    state: { beside: { name: '', edits: [] } },
  },
  {
    ...{ name: 'masks', theme: 'light', tab: 'attention', model: 'zoo:judge' },
    ...{ prompt: 'The <mask> is in the <mask> .', after: 'blocks.2', position: 6, head: 3 },
  },
  { name: 'program', theme: 'light', tab: 'program', run: stopped },
  { name: 'program-dark', theme: 'dark', tab: 'program', run: stopped },
  {
    ...{ name: 'attention-cross', theme: 'light', tab: 'attention', model: 'zoo:translate', target: '' },
    ...{ prompt: 'the dog sees a cat', after: 'decoder.blocks.1', head: 1 },
  },
];

const size = { width: 1280, height: 800 };
/** How long the page may need to be still: the pictures are of a finished page. */
const settleMs = 2500;

const hashOf = async (page: Page, shot: Shot): Promise<string> => {
  const { tab, edits = [], layer, head, theme, side = 'a', run, after, zoom, trials } = shot;
  const last = (await page.locator('#chips .chip').count()) - 1;
  const given = new URLSearchParams(new URL(page.url()).hash.slice(1));
  const state = { ...(JSON.parse(given.get('s') ?? '{}') as object), beside: undefined };
  const position = shot.position ?? (after === undefined ? last : 0);
  const focus = { after: after ?? `blocks.${layer ?? 0}`, position, ...(head === undefined ? {} : { head }) };
  const { model, prompt, target } = shot;
  const other = model === undefined ? {} : { model, prompt, target, word: undefined };
  const debug = { points: run?.points ?? [], watches: run?.watches ?? [], caught: [] };
  const whole = { ...state, ...other, ...shot.state, edits: edits.map((text) => ({ text, on: true })), debug };
  const at = layer === undefined && after === undefined ? {} : { at: JSON.stringify(focus) };
  const tried = trials === undefined ? {} : { try: JSON.stringify(trials) };
  const params = { s: JSON.stringify(whole), tab, theme, side, ...at, ...tried };
  return new URLSearchParams({ ...params, ...(zoom === undefined ? {} : { zoom: `${zoom}` }) }).toString();
};

/** Has the run go to its breakpoint, and opens a group of values. */
const goTo = async (page: Page, { scope }: NonNullable<Shot['run']>): Promise<void> => {
  await page.locator('#listing .line').first().waitFor();
  await page.locator('#run-restart:not(:disabled), #debug:not(:disabled)').first().click();
  await page.locator('#run-reverse:disabled').waitFor();
  await page.locator('#run-continue:not(:disabled)').click();
  await page.getByText('at a breakpoint').waitFor();
  await page.locator('#scope-inputs').click();
  await page.locator(`#scope-${scope}`).click();
};

/** Names of pictures to make; all where none is named. */
const wanted = process.argv.slice(2);
const folder = await builtPageFolder();
const images = path.join(root, 'docs/images');
mkdirSync(images, { recursive: true });
const server = await startPage({ port: 0, page: folder });
const browser = await launchBrowser();
/** Takes a picture; one of another model on a server of its own, since a session keeps its model and its run. */
const take = async (shot: Shot, address: string): Promise<void> => {
  const page = await browser.newPage({ viewport: size, locale: 'en-US' });
  await page.goto(address);
  await page.locator('#what').getByText('after').waitFor();
  const hash = await hashOf(page, shot);
  await page.goto('about:blank');
  await page.goto(`${address}#${hash}`);
  await page.locator('#what').getByText('after').waitFor();
  if (shot.run) await goTo(page, shot.run);
  await page.waitForTimeout(settleMs);
  await shot.act?.(page);
  if (shot.act) await page.waitForTimeout(settleMs);
  await page.screenshot({ path: path.join(images, `${shot.name}.png`) });
  await page.close();
};

try {
  for (const shot of shots.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const isOther = shot.model !== undefined || shot.state !== undefined;
    const own = isOther ? await startPage({ port: 0, page: folder }) : undefined;
    await take(shot, (own ?? server).address);
    await own?.dispose();
  }
} finally {
  await browser.close();
  await server.dispose();
  rmSync(path.dirname(folder), { recursive: true, force: true });
}
