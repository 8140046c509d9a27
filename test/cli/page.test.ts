/** `cutaway [MODEL]` as a process: one address on standard output, and an end that leaves nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import { buildPage } from '../../scripts/build-page.js';
import { root } from '../support/root.js';
import { finish, refused, start } from './command.js';

const timeout = 120_000;
beforeAll(() => buildPage(root), timeout);

describe('cutaway [MODEL]', () => {
  it.each([
    ['without a model', ['--port', '0', '--no-open']],
    ['with a model', ['zoo:judge', '--port=0', '--no-open']],
    ['by its verb', ['page', '--no-open', '--port', '0']],
  ])('%s prints an address of the page, and ends when it is told to', { timeout }, async (_, args) => {
    const child = start(...args);
    const done = finish(child);
    const address = await new Promise<string>((resolve) => {
      child.stdout?.once('data', (text: Buffer) => resolve(text.toString()));
      void done.then(({ stderr }) => resolve(stderr));
    });
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/\n$/);
    expect(await (await fetch(address.trim())).text()).toContain('<title>Cutaway</title>');
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await done;
    expect([status, stdout]).toEqual([0, address]);
    expect(stderr).not.toMatch(/warning|error/);
  });

  it('warns where others can reach it', { timeout }, async () => {
    const child = start('page', '--no-open', '--port', '0', '--listen', '0.0.0.0');
    const done = finish(child);
    child.stdout?.once('data', () => child.kill('SIGTERM'));
    expect((await done).stderr).toMatch(/^warning: listening at 0\.0\.0\.0: whoever reaches it/);
  });

  it('refuses a port that cannot be had', { timeout }, async () => {
    const { status, stderr } = await finish(start('page', '--no-open', '--port', '0', '--listen', '192.0.2.1'));
    expect([status, stderr]).toEqual([3, expect.stringContaining('[PORT_UNAVAILABLE]')]);
  });

  it('is not what a mistaken verb means', async () => {
    expect(await refused('OPTION_INVALID', 'runn')).toContain('Did you mean run?');
  });
});
