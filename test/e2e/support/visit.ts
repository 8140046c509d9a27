import type { Browser, Page } from 'playwright-core';
import type { TestContext } from 'vitest';
import { browserOrSkip, within } from '../../support/browser.js';
import type { PageAnswer, PageRequest } from '../page/page.js';
import { servePage, type PageServer } from './server.js';

/** How long a page may take to answer. */
export const limitMs = 120_000;

/** What a page says, and what it did to say it. */
export interface Visit<T> {
  readonly said: T;
  /** Addresses of everything that it asked for. */
  readonly urls: readonly string[];
  /** Workers that it started. */
  readonly workers: number;
}

const html = '<!doctype html><title>Cutaway</title><script type="module" src="/page.js"></script>';

/** Runs in the page. */
const answerAll = (requests: readonly PageRequest[]): Promise<PageAnswer[]> =>
  Promise.all(
    requests.map((globalThis as unknown as { answering: (request: PageRequest) => Promise<PageAnswer> }).answering),
  );

/** One browser, and two servers of the same page: one that isolates it from other origins, and one that does not. */
export class Visits {
  #browser: Browser | undefined;

  private constructor(
    readonly isolated: PageServer,
    readonly plain: PageServer,
  ) {}

  /** @param scripts by path; `/page.js` is the page's own */
  static async open(scripts: Readonly<Record<string, string>>): Promise<Visits> {
    const made = new Map([['/', html], ...Object.entries(scripts)]);
    return new Visits(await servePage(made, true), await servePage(made, false));
  }

  /** Opens the page anew, lets it do something, closes it. An error in the page is an error here. */
  async visit<T>(context: TestContext, server: PageServer, act: (tab: Page) => Promise<T>): Promise<Visit<T>> {
    this.#browser ??= await browserOrSkip(context);
    const tab = await this.#browser.newPage();
    const urls: string[] = [];
    let workers = 0;
    tab.on('request', (request) => urls.push(request.url()));
    tab.on('worker', () => workers++);
    const broken = new Promise<never>((_, reject) => {
      tab.on('pageerror', reject);
      tab.on('crash', () => reject(new Error('the page crashed')));
    });
    try {
      const acted = tab.goto(server.origin).then(() => act(tab));
      return { said: await within(Promise.race([acted, broken]), 'the page', limitMs), urls, workers };
    } finally {
      await tab.close();
    }
  }

  /** Asks one page several things at once. */
  ask(context: TestContext, requests: readonly PageRequest[], server = this.isolated): Promise<Visit<PageAnswer[]>> {
    return this.visit(context, server, (tab) => tab.evaluate(answerAll, requests));
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await Promise.all([this.isolated.close(), this.plain.close()]);
  }
}
