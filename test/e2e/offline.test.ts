/** On a machine without a network: nothing outside is called, by the page, its server, or the host of the model. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildPage } from '../../scripts/build-page.js';
import { scratch, write } from '../cli/broken.js';
import { finish, startIn } from '../cli/command.js';
import { browserOrSkip } from '../support/browser.js';
import { root } from '../support/root.js';

const timeout = 120_000;
beforeAll(() => buildPage(root), timeout);

/** Loaded before all else in a process and in those that it starts: calls to other machines fail, and are written down. */
const guard = `
const { appendFileSync } = require('node:fs');
const { Socket } = require('node:net');
const dns = require('node:dns');
const dgram = require('node:dgram');
const isHere = (host) => host === undefined || ['127.0.0.1', '::1', 'localhost'].includes(host);
const refuse = (what) => {
  appendFileSync(process.env.CALLS, process.argv.slice(1, 3).join(' ') + ': ' + what + '\\n');
  throw Object.assign(new Error('connect ENETUNREACH ' + what), { code: 'ENETUNREACH' });
};
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...given) {
  const [first] = given.flat();
  const { host, path: file } = typeof first === 'object' && first !== null ? first : { host: given[1] };
  return file !== undefined || isHere(host) ? connect.apply(this, given) : refuse(host);
};
const { lookup } = dns;
dns.lookup = (host, ...rest) => (isHere(host) ? lookup(host, ...rest) : refuse(host));
dgram.createSocket = () => refuse('a datagram');
`;

/** What called outside, a line a call. */
const guarded = (name: string) => {
  const calls = path.join(scratch, `${name}.calls`);
  const env = { NODE_OPTIONS: `--require ${write(`${name}.cjs`, guard)}`, CALLS: calls };
  return { env, calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8') : '') };
};

describe('without a network', () => {
  it('the guard sees a call', { timeout }, async () => {
    const { env, calls } = guarded('seen');
    const server = write('server.json', '{}');
    const child = startIn(env, 'attach', '192.0.2.1:4711', '--token', 'none', '-x', server);
    expect((await finish(child)).status).not.toBe(0);
    expect(calls()).toContain('192.0.2.1');
  });

  it('the page works, in all its panels, and nothing is called', { timeout }, async (context) => {
    const browser = await browserOrSkip(context);
    const { env, calls } = guarded('page');
    const child = startIn(env, 'page', '--no-open', '--port', '0');
    const ended = finish(child);
    try {
      const address = await new Promise<string>((resolve) => {
        child.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim()));
        void ended.then(({ stderr }) => resolve(stderr));
      });
      const page = await browser.newPage({ locale: 'en-US' });
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).host));
      page.on('websocket', (socket) => asked.push(new URL(socket.url()).host));
      await page.goto(address);
      await page.locator('#what').getByText('after').waitFor();
      const tabs = page.getByRole('tab');
      for (let i = 0; i < (await tabs.count()); i++) {
        await tabs.nth(i).click();
        await page.getByRole('tabpanel').first().waitFor();
      }
      expect(await tabs.count()).toBeGreaterThan(10);
      expect(asked.length).toBeGreaterThan(1);
      expect([...new Set(asked)]).toEqual([new URL(address).host]);
      await page.close();
    } finally {
      child.kill('SIGTERM');
    }
    expect((await ended).status).toBe(0);
    expect(calls()).toBe('');
  });
});
