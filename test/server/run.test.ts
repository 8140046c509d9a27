/** The run under the debugger that all pages of a session share. */
import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pageRun } from '../../src/protocol/index.js';
import { startPage, type PageServer } from '../../src/server/index.js';
import { connectTab, emptyPage, until, type Tab } from './tab.js';

const timeout = 60_000;
let folder = '';
let server: PageServer;

beforeAll(async () => {
  folder = emptyPage();
  server = await startPage({ port: 0, page: folder, model: 'zoo:world' });
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true });
});

const tabs: Tab[] = [];

const openTab = async (): Promise<Tab> => {
  const tab = await connectTab(server);
  tabs.push(tab);
  return tab;
};
const isOpen = (): Promise<boolean> =>
  server.host.request('debug.view', { session: pageRun, ask: { ask: 'points' } }).then(
    () => true,
    () => false,
  );

afterEach(async () => {
  tabs.at(-1)?.act({ act: 'close' });
  await until(isOpen).toBe(false);
  tabs.at(-1)?.change({ debug: { points: [], watches: [], caught: [] }, edits: [] });
  for (const tab of tabs.splice(0)) tab.leave();
});

const points = (...list: object[]) => ({
  debug: { points: list.map((p, i) => ({ id: i + 1, on: true, ...p })), watches: [], caught: [] },
});

describe('the run of a session', () => {
  it('is one in all pages, and a page that comes later is told of it', { timeout }, async () => {
    const [one, other] = [await openTab(), await openTab()];
    one.act({ act: 'move', motion: { kind: 'step', by: 'op' } });
    await until(() => other.view()?.stop?.reason).toBe('entry');
    other.act({ act: 'move', motion: { kind: 'step', by: 'layer' } });
    await until(() => one.view()?.state?.place).toBe('blocks.0');
    const third = await openTab();
    await until(() => third.view()?.state?.place).toBe('blocks.0');
    expect(third.told.find((message) => message.type === 'about')?.about.listing.length).toBeGreaterThan(50);
  });

  it('follows the breakpoints of the session, and says which it refuses', { timeout }, async () => {
    const tab = await openTab();
    tab.change(
      points({ layer: 2 }, { sites: 'blocks.99.*' }, { layer: 1, on: false }, { line: 6, condition: 'norm(' }),
    );
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.state?.place).toBe('blocks.2');
    expect(tab.view()?.stop).toMatchObject({ reason: 'breakpoint', point: 1, label: 'layer 2' });
    expect(tab.view()?.refused.map(({ what, error }) => [what, error.code])).toEqual([
      [2, 'SITE_UNKNOWN'],
      [4, 'EXPRESSION_SYNTAX'],
    ]);
    tab.change(points({ layer: 4 }));
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.state?.place).toBe('blocks.4');
    expect(tab.view()?.refused).toEqual([]);
    tab.change(points({ layer: 4, condition: 'layer > 6' }));
    tab.act({ act: 'restart' });
    await until(() => tab.view()?.stop?.reason).toBe('entry');
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.stop?.reason).toBe('end');
  });

  it('has the edits of the session: from where it stands, or from the beginning', { timeout }, async () => {
    const tab = await openTab();
    tab.change(points({ layer: 3 }));
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.state?.place).toBe('blocks.3');
    tab.change({ edits: [{ text: 'skip layer 5', on: true }] });
    await until(() => tab.view()?.state?.edits).toEqual(['skip layer 5']);
    expect(tab.view()).toMatchObject({ changed: true, phase: 'stopped' });
    tab.act({ act: 'restart' });
    await until(() => tab.view()).toMatchObject({ changed: false, stop: { reason: 'entry' } });
    expect(tab.view()?.state?.edits).toEqual(['skip layer 5']);
  });

  it('says what is wrong with an edit, and goes on without it', { timeout }, async () => {
    const tab = await openTab();
    tab.act({ act: 'open' });
    await until(() => tab.view()?.phase).toBe('stopped');
    tab.change({ edits: [{ text: 'skip layer 55', on: true }] });
    await until(() => tab.view()?.error?.code).toBeTruthy();
    expect(tab.view()?.state?.edits).toEqual([]);
    tab.act({ act: 'move', motion: { kind: 'step', by: 'layer' } });
    await until(() => tab.view()?.state?.place).toBe('blocks.0');
  });

  it('tells when its text is another by now, or an edit needs a new run', { timeout }, async () => {
    const tab = await openTab();
    tab.act({ act: 'open' });
    await until(() => tab.view()?.phase).toBe('stopped');
    tab.change({ edits: [{ text: 'config rms_norm_eps = 0.001', on: true }] });
    await until(() => tab.view()?.outdated).toBe('edits');
    tab.change({ prompt: 'Then Nina' });
    await until(() => tab.view()?.outdated).toBe('text');
    const run = (tab.view()?.run ?? 0) + 1;
    tab.act({ act: 'restart' });
    await until(() => tab.view()).toMatchObject({ phase: 'stopped', run });
    expect(tab.view()?.outdated).toBeUndefined();
    expect(tab.view()?.state?.tokens).toHaveLength(3);
  });

  it('can be paused, and is told of while it goes on', { timeout }, async () => {
    const tab = await openTab();
    const log = 'norm {norm(blocks.1.resid_pre)}';
    // Each operation asks its condition: that takes long enough to be paused.
    tab.change(points({ layer: 1, log }));
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.told.some((message) => message.type === 'told' && message.told.length > 0)).toBe(true);
    tab.act({ act: 'pause' });
    await until(() => tab.view()?.phase).toBe('stopped');
    const lines = tab.told.flatMap((message) => (message.type === 'told' ? message.told : []));
    expect(lines[0]).toMatchObject({ told: 'log', point: 1, text: expect.stringMatching(/^norm \d/) as string });
  });

  it('ends with the last page, unless one comes back', { timeout }, async () => {
    const tab = await openTab();
    tab.act({ act: 'open' });
    await until(() => tab.view()?.phase).toBe('stopped');
    tab.leave();
    const again = await openTab();
    await until(() => again.view()?.phase).toBe('stopped');
    again.leave();
    await until(isOpen).toBe(false);
    expect((await server.host.request('status', {})).pending).toBe(0);
    const last = await openTab();
    await until(() => last.told.length).toBeGreaterThan(0);
    expect(last.view()).toBeUndefined();
  });

  it('is gone with the host, and its breakpoints go into the next one', { timeout }, async () => {
    const tab = await openTab();
    tab.change(points({ layer: 2 }));
    tab.act({ act: 'open' });
    await until(() => tab.view()?.phase).toBe('stopped');
    process.kill(server.host.pid ?? 0, 'SIGKILL');
    await until(() => tab.view()?.phase).toBe('off');
    await server.host.restart();
    tab.act({ act: 'move', motion: { kind: 'continue' } });
    await until(() => tab.view()?.state?.place).toBe('blocks.2');
  });
});
