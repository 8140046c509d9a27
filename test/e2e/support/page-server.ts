import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, type TestContext } from 'vitest';
import { startPage, type PageOptions, type PageServer } from '../../../src/server/index.js';
import { browserOrSkip } from '../../support/browser.js';
import { builtPageFolder } from '../../support/page.js';

/** The page on a server of the tests' own, and what went wrong in it. */
export interface PageUnderTest {
  readonly server: () => PageServer;
  /** A page at an address behind the `#`, once something was run there. */
  readonly open: (context: TestContext, hash?: string) => Promise<Page>;
  /** The same, once the server has told what the session is. */
  readonly openBare: (context: TestContext, hash?: string) => Promise<Page>;
  /** What pages asked for, by its address and by the name of its method, and the errors in them. */
  readonly asked: string[];
  readonly methods: string[];
  readonly wrong: string[];
  /** The folder with the built page, for files of the tests. */
  readonly folder: () => string;
}

/** A session as an address. */
export const addressOf = (state: object, view: Readonly<Record<string, string>> = {}): string => {
  const whole = { model: 'zoo:world', prompt: '', name: '', edits: [], ...state };
  return `#${new URLSearchParams({ s: JSON.stringify(whole), ...view }).toString()}`;
};

/** Starts a server before the tests of a file, and ends it behind them. */
export const usePage = (options: () => Omit<PageOptions, 'page' | 'port'> = () => ({})): PageUnderTest => {
  const [asked, methods, wrong]: [string[], string[], string[]] = [[], [], []];
  const at: { folder: string; server?: PageServer; browser?: Browser } = { folder: '' };
  const server = (): PageServer => {
    if (!at.server) throw new Error('the server is not started');
    return at.server;
  };
  beforeAll(async () => {
    at.folder = await builtPageFolder();
    at.server = await startPage({ ...options(), port: 0, page: at.folder });
  }, 90_000);
  afterAll(async () => {
    await at.browser?.close();
    await at.server?.dispose();
    rmSync(path.dirname(at.folder), { recursive: true, force: true });
  });
  beforeEach(() => {
    for (const list of [asked, methods, wrong]) list.length = 0;
  });
  const openBare = async (context: TestContext, hash = ''): Promise<Page> => {
    at.browser ??= await browserOrSkip(context);
    const page = await at.browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
    page.setDefaultTimeout(30_000);
    page.on('request', (request) => asked.push(request.url()));
    page.on('websocket', (socket) => {
      asked.push(socket.url());
      socket.on('framesent', ({ payload }) => {
        if (typeof payload === 'string') return; // the session's: the host is asked in binary frames
        const [, method] = /"method":"([\w.]+)"/.exec(payload.toString()) ?? [];
        if (method !== undefined) methods.push(method);
      });
    });
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    await page.goto(server().address + hash);
    await page.locator('#model').waitFor();
    return page;
  };
  const open = async (context: TestContext, hash = ''): Promise<Page> => {
    const page = await openBare(context, hash);
    await page.locator('#what').getByText('after').waitFor();
    return page;
  };
  return { server, open, openBare, asked, methods, wrong, folder: () => at.folder };
};
