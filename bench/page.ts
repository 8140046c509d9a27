/**
 * The page in a real Chromium without a GPU: how long it takes from a slider's move to the painted answer, how large the
 * answers are, and how many frames a second the board is drawn with while it is moved. On the default model, and on one of
 * GPT-2 small's size with random weights, 64 tokens.
 *
 * And on 32 layers of 32 heads with long texts: how soon panels open, what is sent, how they move.
 *
 *     tsx bench/page.ts [large]
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startPage, type PageServer } from '../src/server/index.js';
import { launchBrowser } from '../test/support/browser.js';
import { builtPageFolder } from '../test/support/page.js';
import { writeRandomModel } from '../test/support/random-model.js';
import { root } from '../test/support/root.js';
import { gpt2Small, prompt, quantile } from './page-models.js';

const moves = 40;
const frames = 90;

/** 32 layers of 32 heads of 8 numbers, and a small vocabulary that texts can be given in. */
const manyHeads = (): string => {
  const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'models', 'many-heads-words');
  mkdirSync(path.dirname(folder), { recursive: true });
  if (existsSync(path.join(folder, 'tokenizer.json'))) return folder;
  const { vocab_size: vocab } = JSON.parse(readFileSync(path.join(root, 'zoo/models/world/config.json'), 'utf8')) as {
    vocab_size: number;
  };
  writeRandomModel(folder, {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_act: 'silu', rms_norm_eps: 1e-5 },
    ...{ vocab_size: vocab, hidden_size: 256, intermediate_size: 512, num_hidden_layers: 32 },
    ...{ num_attention_heads: 32, num_key_value_heads: 32, max_position_embeddings: 4096, rope_theta: 10000 },
  });
  copyFileSync(path.join(root, 'zoo/models/world/tokenizer.json'), path.join(folder, 'tokenizer.json'));
  return folder;
};

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

/** Frames a second while a canvas is moved or enlarged by its wheel, an event a frame. */
const framesOf = async (page: Page, canvas: string, wheel: string): Promise<number> => {
  const times = await page.evaluate<number[]>(`new Promise((resolve) => {
    const canvas = document.querySelector('${canvas}');
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + height / 2, cancelable: true, bubbles: true };
    const times = [];
    const next = (now) => {
      times.push(now);
      if (times.length > ${frames}) return resolve(times);
      const back = times.length < ${frames / 2} ? -1 : 1;
      canvas.dispatchEvent(new WheelEvent('wheel', { ...at, ${wheel} }));
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  })`);
  return (1000 * frames) / ((times.at(-1) ?? 0) - (times[0] ?? 0));
};

/** Frames a second while the board is moved, 20 pixels a frame. */
const pan = async (browser: Browser, server: PageServer): Promise<number> => {
  const page = await open(browser, server, { model: 'zoo:world', prompt: prompt(230), edits: [] });
  for (let i = 0; i < 3; i++) await page.getByRole('group', { name: 'Zoom' }).getByText('+').click();
  const found = await framesOf(page, '#board-canvas', 'deltaX: back * 20');
  await page.close();
  return found;
};

/** Adds up what comes over the page's connection. */
const countBytes = async (page: Page): Promise<{ taken: () => number }> => {
  let bytes = 0;
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.webSocketFrameReceived', ({ response }) => (bytes += bytesOf(response)));
  return {
    taken: () => {
      const all = bytes;
      bytes = 0;
      return all;
    },
  };
};

/** A long text on many heads: how long panels take, what is sent, how it moves. */
const large = async (browser: Browser, server: PageServer, tokens: number): Promise<void> => {
  const state = { name: '', model: manyHeads(), prompt: prompt(tokens - 1), edits: [] };
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  page.setDefaultTimeout(600_000);
  const bytes = await countBytes(page);
  const said = (what: string, from: number): void =>
    console.log(`  ${what}: ${Math.round(performance.now() - from)} ms, ${Math.round(bytes.taken() / 1000)} kB`);
  const start = performance.now();
  await page.goto(`${server.address}#${new URLSearchParams({ s: JSON.stringify(state), tab: 'residual' }).toString()}`);
  await page.locator('#what').getByText('after').waitFor();
  said('first answer', start);
  await page.locator('#work').getByText('ms').waitFor();
  const opened = performance.now();
  await page.getByRole('tab', { name: 'Attention' }).click();
  await page.locator('#head-map').waitFor();
  said('attention computed: 32 x 32 heads, and one large', opened);
  await page.waitForTimeout(2000);
  bytes.taken();
  await page.getByRole('tab', { name: 'Residual' }).click();
  const again = performance.now();
  await page.getByRole('tab', { name: 'Attention' }).click();
  await page.locator('#head-map').waitFor();
  said('attention opened again', again);
  console.log(`  map enlarged: ${(await framesOf(page, '#head-map', 'deltaY: back * 60')).toFixed(0)} frames a second`);
  await framesOf(page, '#head-map', 'deltaY: -40');
  console.log(`  map moved: ${(await framesOf(page, '#head-map', 'deltaX: back * 20')).toFixed(0)} frames a second`);
  console.log(`  tiles for that: ${Math.round(bytes.taken() / 1000)} kB`);
  for (let i = 0; i < 3; i++) await page.getByRole('group', { name: 'Zoom' }).getByText('+').click();
  console.log(
    `  board moved: ${(await framesOf(page, '#board-canvas', 'deltaX: back * 40')).toFixed(0)} frames a second`,
  );
  await page.close();
};

const folder = await builtPageFolder();
const server = await startPage({ port: 0, page: folder });
const browser = await launchBrowser();
try {
  console.log(`load before: ${loadavg()[0]?.toFixed(1) ?? '?'}`);
  const only = process.argv[2];
  const cases =
    only === 'large'
      ? {}
      : {
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
  for (const tokens of only === 'slide' ? [] : [512, 2048]) {
    console.log(`32 layers x 32 heads, ${tokens} tokens`);
    await large(browser, server, tokens);
  }
  console.log(`board of 230 tokens, moved: ${(await pan(browser, server)).toFixed(0)} frames a second`);
} finally {
  await browser.close();
  await server.dispose();
  rmSync(path.dirname(folder), { recursive: true, force: true });
}
