/**
 * Writes the pictures of docs/images that are of live processes: `CUTAWAY_PYTHON=... npx tsx scripts/screenshots-live.ts`,
 * with a Python that has PyTorch and transformers. Run it after the page changed, and look at each. Linux on x64 only.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { startPage } from '../src/server/index.js';
import { launchBrowser } from '../test/support/browser.js';
import { builtPageFolder } from '../test/support/page.js';
import { root } from '../test/support/root.js';

interface Shot {
  readonly name: string;
  readonly theme: 'light' | 'dark';
  /** A script of test/python/live, with its arguments. */
  readonly script: readonly string[];
  readonly act: (page: Page) => Promise<void>;
}

const settleMs = 900;
const size = { width: 1400, height: 860 };

const addPoint = async (page: Page, text: string): Promise<void> => {
  await page.locator('#add-point').fill(text);
  await page.locator('#add-point').press('Enter');
};

const shots: readonly Shot[] = [
  {
    name: 'live',
    theme: 'light',
    script: [
      ...['serve.py', path.join(root, 'zoo/models/world'), 'generate', '--tokens', '8'],
      ...['--prompt', 'Then Nina and Mara went to the market. Mara gave a basket to'],
    ],
    act: async (page) => {
      await addPoint(page, 'after model.layers.3.self_attn');
      await page.locator('#add-watch').fill('norm(blocks.3.attn_out)');
      await page.locator('#add-watch').press('Enter');
      await page.locator('#run-continue').click();
      await page.locator('#listing .here').waitFor();
      await page.locator('#scope-inputs').click();
      await page.locator('#scope-attention').click();
      await page.evaluate(`document.getElementById('stopped').scrollTop = 0`);
    },
  },
  {
    name: 'live-training',
    theme: 'dark',
    script: ['train.py', '--steps', '60'],
    act: async (page) => {
      await addPoint(page, 'backward blocks.1');
      for (let i = 0; i < 24; i++) {
        await page.locator('#run-continue').click();
        await page.waitForTimeout(150);
      }
    },
  },
];

/** Starts a script, and waits until its agent listens. @returns the port */
const begin = async (args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly port: number }> => {
  const python = process.env['CUTAWAY_PYTHON'] ?? path.join(root, '.venv/bin/python');
  const [script = '', ...rest] = args;
  const env = { ...process.env, PYTHONPATH: path.join(root, 'python/cutaway_agent') };
  const file = path.join(root, 'test/python/live', script);
  const child = spawn(python, [file, ...rest], { stdio: ['pipe', 'pipe', 'inherit'], env });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = Number(/^listening (\d+)/.exec(line)?.[1] ?? 0);
    if (port > 0) return { child, port };
  }
  throw new Error(`${script} ended before its agent listened`);
};

const folder = await builtPageFolder();
const browser = await launchBrowser();
try {
  for (const { name, theme, script, act } of shots) {
    const { child, port } = await begin(script);
    child.stdout?.resume();
    const server = await startPage({
      port: 0,
      page: folder,
      attach: { address: `127.0.0.1:${port}`, token: 'secret' },
    });
    const page = await browser.newPage({ viewport: size, locale: 'en-US' });
    await page.goto(`${server.address}#theme=${theme}`);
    await page.locator('#listing .line').first().waitFor();
    await act(page);
    await page.waitForTimeout(settleMs);
    await page.screenshot({ path: path.join(root, 'docs/images', `${name}.png`) });
    await page.close();
    await server.dispose();
    child.kill('SIGKILL');
  }
} finally {
  await browser.close();
  rmSync(path.dirname(folder), { recursive: true, force: true });
}
