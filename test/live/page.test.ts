/** The page's server on a live PyTorch process: what a page is told, and what becomes of the process. */
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it, vi, type TestContext } from 'vitest';
import WebSocket from 'ws';
import { connectPage } from '../../src/client/index.js';
import { pageRun, type ViewAnswerOf } from '../../src/protocol/index.js';
import { startPage, type PageServer } from '../../src/server/index.js';
import { llama } from '../cli/command.js';
import { connectTab, emptyPage, until, type Tab } from '../server/tab.js';
import { startScript, type LiveProcess } from './process.js';

vi.setConfig({ testTimeout: 120_000 });

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

interface Attached {
  readonly process: LiveProcess;
  readonly server: PageServer;
  readonly tab: Tab;
}

const addressOf = ({ host, port }: LiveProcess): string => `${host}:${port}`;

const serve = async (options: object): Promise<PageServer> => {
  const folder = emptyPage();
  const server = await startPage({ port: 0, page: folder, ...options });
  ending.push(() => rmSync(folder, { recursive: true }));
  ending.push(() => server.dispose());
  return server;
};

const begun = async (context: TestContext, ...script: readonly string[]): Promise<LiveProcess> => {
  const [name = '', ...args] = script;
  const process = await startScript(context, name, ...args);
  ending.push(() => process.end());
  return process;
};

/** A server that is attached from its start, and a page of it. */
const attached = async (context: TestContext, ...script: readonly string[]): Promise<Attached> => {
  const process = await begun(context, ...script);
  const server = await serve({ attach: { address: addressOf(process), token: process.token } });
  const tab = await connectTab(server);
  await until(() => tab.view()?.phase).toBe('stopped');
  return { process, server, tab };
};

const generating = [llama, 'generate'] as const;

const points = (...list: object[]) => ({
  debug: { points: list.map((p, i) => ({ id: i + 1, on: true, ...p })), watches: [], caught: [] },
});

const lineOf = ({ told }: Tab, text: string): number => {
  const about = told.findLast((message) => message.type === 'about')?.about;
  return 1 + (about?.listing.findIndex((line) => line.text.includes(text)) ?? -1);
};

describe('the page of a live process', () => {
  it('is told what it is, stops at its modules, looks, and changes', async (context) => {
    const { process, server, tab } = await attached(context, 'serve.py', ...generating);
    expect(tab.told.find((m) => m.type === 'session')).toMatchObject({
      state: { model: addressOf(process), edits: [] },
    });
    expect(JSON.stringify(tab.told)).not.toContain(process.token);
    expect(tab.told.find((m) => m.type === 'about')).toMatchObject({
      about: { kind: 'process', can: { back: false, again: true } },
    });
    const line = lineOf(tab, 'mlp: LlamaMLP');
    tab.change(points({ line, layer: 1, moment: 'after' }));
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.state?.place).toBe('after model.layers.1.mlp');
    expect(tab.view()).toMatchObject({ stop: { reason: 'breakpoint', point: 1 }, state: { line } });

    const client = await connectPage(server.address, { WebSocket: WebSocket });
    ending.push(() => client.dispose());
    const view = { ask: 'picture' as const, ref: 'blocks.1.mlp_out', bins: 10 };
    const { result, payload } = await client.requestBytes('debug.view', { session: pageRun, ask: view });
    const seen = result as ViewAnswerOf<'picture'>;
    expect(seen).toMatchObject({ shape: [1, 4, 32], pixels: { rows: 4, columns: 32, level: 0 }, dtype: 'float32' });
    expect(seen.histogram.counts.reduce((a, b) => a + b)).toBe(4 * 32);
    const numbers = new Float32Array(payload.buffer);
    expect(numbers).toHaveLength(4 * 32);
    expect(Math.max(...numbers)).toBeCloseTo(seen.stats.max ?? NaN, 5);
    await expect(
      client.request('debug.view', { session: pageRun, ask: { ...view, ref: 'nowhere' } }),
    ).rejects.toMatchObject({ info: { code: 'SITE_UNKNOWN' } });

    tab.change({
      edits: [
        { text: 'skip module model.layers.2', on: true },
        { text: 'drop head 9.9', on: false },
      ],
    });
    await until(() => tab.view()?.state?.edits).toEqual(['skip module model.layers.2']);
    tab.change(points({ sites: 'blocks.2.resid_post' }));
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.state?.place).toBe('after model.layers.2');
    const expression = 'norm(blocks.2.resid_post - blocks.2.resid_pre)';
    const skipped = await client.request('debug.view', { session: pageRun, ask: { ask: 'evaluate', expression } });
    expect(skipped).toMatchObject({ value: '0' });
    tab.change({ edits: [{ text: 'config rope_theta = 2', on: true }] });
    await until(() => tab.view()?.error?.code).toBe('EDIT_INVALID');
    expect(tab.view()?.phase).toBe('stopped');
  });

  it('stops in a training loop, and is told of the process’s end', async (context) => {
    const { process, tab } = await attached(context, 'train.py', '--steps', '6');
    tab.change(points({ sites: 'blocks.1', condition: 'step == 3' }));
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.state?.position.step).toBe(3);
    tab.act({ act: 'pause' }); // it stands: nothing to do
    tab.change(points());
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.phase).toBe('off');
    expect(tab.view()?.ended).toContain('ended');
    expect(await process.ended).toBe(0);
    tab.act({ act: 'open' });
    await until(() => tab.view()?.error?.code).toBe('AGENT_UNREACHABLE');
  });

  it('says that a process is gone, and attaches to the next one by its token', async (context) => {
    const { process, tab } = await attached(context, 'serve.py', ...generating);
    await process.end();
    await until(() => tab.view()).toMatchObject({ phase: 'off', error: { code: 'AGENT_LOST' } });
    const next = await begun(context, 'serve.py', ...generating);
    tab.send({ type: 'attach', address: addressOf(next), token: 'wrong' });
    await until(() => tab.view()?.error?.code).toBe('AGENT_REFUSED');
    tab.send({ type: 'attach', address: addressOf(next), token: next.token });
    await until(() => tab.view()).toMatchObject({ phase: 'stopped', stop: { reason: 'entry' } });
    expect(tab.view()?.error).toBeUndefined();
  });

  it('lets the process go on when its server ends, or another model is chosen', async (context) => {
    const { process, server, tab } = await attached(context, 'serve.py', ...generating);
    const stand = async (page: Tab): Promise<void> => {
      page.change(points({ sites: 'blocks.1.resid_post' }));
      page.act({ act: 'move', motion: { kind: 'continue' } });
      await until(() => page.view()?.state?.place).toBe('after model.layers.1');
    };
    await stand(tab);
    const made = process.lines.length;
    tab.change(points()); // which stay with the session: attached again, the process would come to them by itself
    tab.change({ model: 'zoo:world' });
    await until(() => process.lines.length).toBeGreaterThan(made);
    await until(() => tab.view()?.phase).toBe('off');
    tab.send({ type: 'undo' }); // the token is still known
    await until(() => tab.view()).toMatchObject({ phase: 'stopped', stop: { reason: 'entry' } });
    tab.change(points({ sites: 'blocks.2.resid_post' })); // the process runs on, and comes to it by itself
    await until(() => tab.view()?.state?.place).toBe('after model.layers.2');
    const before = process.lines.length;
    await server.dispose();
    await until(() => process.lines.length).toBeGreaterThan(before);
  });

  it('does not start where nothing answers, or the token is wrong', async (context) => {
    const process = await begun(context, 'serve.py', ...generating);
    const address = addressOf(process);
    const options = { port: 0, page: emptyPage() };
    await expect(startPage({ ...options, attach: { address, token: 'wrong' } })).rejects.toMatchObject({ info: { code: 'AGENT_REFUSED' } }); // prettier-ignore
    await process.end();
    await expect(startPage({ ...options, attach: { address, token: '' } })).rejects.toMatchObject({ info: { code: 'AGENT_UNREACHABLE' } }); // prettier-ignore
    rmSync(options.page, { recursive: true });
  });
});
