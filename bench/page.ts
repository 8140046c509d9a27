/**
 * The page in a real Chromium without a GPU: how long it takes from a slider's move to the painted answer, how large the
 * answers are, and how many frames a second the board is drawn with while it is moved. On the default model, and on one of
 * GPT-2 small's size with random weights, 64 tokens.
 *
 *     tsx bench/page.ts
 */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startPage, type PageServer } from '../src/server/index.js';
import { launchBrowser } from '../test/support/browser.js';
import { builtPageFolder } from '../test/support/page.js';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';
import { root } from '../test/support/root.js';

const moves = 40;
const frames = 90;

/** GPT-2 small's shapes with the vocabulary of the default model, so that a text can be given. */
const gpt2Small = (): string => {
  const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'models', 'gpt2-small-words');
  mkdirSync(path.dirname(folder), { recursive: true });
  if (existsSync(path.join(folder, 'tokenizer.json'))) return folder;
  writeRandomModel(folder, gpt2SmallConfig);
  copyFileSync(path.join(root, 'zoo/models/world/tokenizer.json'), path.join(folder, 'tokenizer.json'));
  return folder;
};

const words = 'Then Lina and Mara went to the market . Mara gave a basket to'.split(' ');
const prompt = (length: number): string => Array.from({ length }, (_, i) => words[i % words.length]).join(' ');

const open = async (browser: Browser, server: PageServer, state: object): Promise<Page> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.address}#${new URLSearchParams({ s: JSON.stringify({ name: '', ...state }) }).toString()}`);
  await page.locator('#what').getByText('after').waitFor();
  return page;
};

/** The page tells in its bottom line how long the latest change took; each text that it shows is kept. */
const watchWork = `
  globalThis.told = [];
  new MutationObserver(() => told.push(document.querySelector('#work').textContent))
    .observe(document.querySelector('#work'), { childList: true, characterData: true, subtree: true });`;

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(q * values.length)] ?? NaN;

/** A binary message comes as base64. */
const bytesOf = ({ opcode, payloadData }: { readonly opcode: number; readonly payloadData: string }): number =>
  opcode === 2 ? Math.floor((payloadData.length * 3) / 4) : payloadData.length;

/** Milliseconds from each move of the slider to its painted answer, and bytes that came for one. */
const slide = async (browser: Browser, server: PageServer, state: { model: string; prompt: string; layer: number }) => {
  const { layer, ...given } = state;
  const edits = [{ text: `scale blocks.${layer}.attn.z[head=0] by 1`, on: true }];
  const page = await open(browser, server, { ...given, edits });
  let bytes = 0;
  await page.waitForTimeout(3000);
  await page.evaluate(watchWork);
  await page.getByRole('slider').focus();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.webSocketFrameReceived', ({ response }) => (bytes += bytesOf(response)));
  const times: number[] = [];
  for (let i = 0; i < moves; i++) {
    await page.evaluate('told.length = 0');
    await page.keyboard.press('ArrowLeft');
    // Asked from here: the page's policy allows no code made from text.
    while (!(await page.evaluate<boolean>('told.some((text) => / ms /.test(text))'))) await page.waitForTimeout(5);
    const text = await page.evaluate<string>('told.findLast((text) => / ms /.test(text))');
    times.push(Number.parseInt(text, 10));
  }
  await page.close();
  return { median: quantile(times, 0.5), most: quantile(times, 0.95), least: Math.min(...times), bytes: bytes / moves };
};

/** Frames a second while the board is moved, 20 pixels a frame. */
const pan = async (browser: Browser, server: PageServer): Promise<number> => {
  const page = await open(browser, server, { model: 'zoo:world', prompt: prompt(230), edits: [] });
  for (let i = 0; i < 3; i++) await page.getByRole('group', { name: 'Zoom' }).getByText('+').click();
  const times = await page.evaluate<number[]>(`new Promise((resolve) => {
    const canvas = document.querySelector('#board-canvas');
    const times = [];
    const next = (now) => {
      times.push(now);
      if (times.length > ${frames}) return resolve(times);
      canvas.dispatchEvent(new WheelEvent('wheel', { deltaX: times.length < ${frames / 2} ? -20 : 20, cancelable: true }));
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  })`);
  await page.close();
  return (1000 * frames) / ((times.at(-1) ?? 0) - (times[0] ?? 0));
};

const folder = await builtPageFolder();
const server = await startPage({ port: 0, page: folder });
const browser = await launchBrowser();
try {
  console.log(`load before: ${loadavg()[0]?.toFixed(1) ?? '?'}`);
  const cases = {
    'world, 15 tokens': { model: 'zoo:world', prompt: prompt(14), layer: 3 },
    'world, 64 tokens': { model: 'zoo:world', prompt: prompt(63), layer: 3 },
    'GPT-2 small, 64 tokens': { model: gpt2Small(), prompt: prompt(63), layer: 6 },
  };
  for (const [name, state] of Object.entries(cases)) {
    const { least, median, most, bytes } = await slide(browser, server, state);
    console.log(
      `${name}: least ${least} ms, median ${median} ms, 95 % under ${most} ms; ${Math.round(bytes / 1000)} kB a move`,
    );
  }
  console.log(`board of 230 tokens, moved: ${(await pan(browser, server)).toFixed(0)} frames a second`);
} finally {
  await browser.close();
  await server.dispose();
  rmSync(path.dirname(folder), { recursive: true, force: true });
}
