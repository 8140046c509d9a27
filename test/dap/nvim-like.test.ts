import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/root.js';
import type { Client } from './client.js';
import { Names } from './neovim/names.js';
import { edit, generated, scene } from './neovim/scene.js';
import { play, type Played, type Step } from './neovim/transcript.js';
import { startClient } from './process-client.js';
import { requestProblemsOf } from './schema.js';

const file = path.join(root, 'test/dap/nvim-dap-requests.json');
const { sessions } = JSON.parse(readFileSync(file, 'utf8')) as { readonly sessions: readonly (readonly Step[])[] };

interface Frame {
  readonly name: string;
  readonly line: number;
  readonly source: { readonly path?: string };
}
interface Variable {
  readonly name: string;
  readonly value: string;
}
/** The fields of answers that are looked at here. */
type Body = Partial<{
  readonly stackFrames: readonly Frame[];
  readonly result: string;
  readonly variables: readonly Variable[];
  readonly value: string;
  readonly breakpoints: readonly { readonly verified: boolean }[];
  readonly content: string;
  readonly targets: readonly object[];
}>;
interface Session {
  readonly client: Client;
  readonly played: readonly Played[];
}

const names = new Names(scene.launch.model);

/** Plays a session as nvim-dap did, with an adapter of its own, and checks every message. */
const playAll = async (steps: readonly Step[]): Promise<Session> => {
  const { client, ended } = startClient();
  const played = await play(client, steps, names);
  await client.end();
  expect(await ended).toMatchObject({ status: 0, stderr: '' });
  const sent = client.all.filter((m) => m.type === 'request');
  expect(sent).toHaveLength(steps.filter((s) => 'send' in s).length);
  expect(client.all.filter((m) => m.type === 'response')).toHaveLength(sent.length);
  expect(client.problems()).toEqual([]);
  expect(sent.flatMap((message) => requestProblemsOf(message as never))).toEqual([]);
  return { client, played };
};

const bodies = ({ played }: Session, command: string): readonly Body[] =>
  played.filter((p) => p.command === command).map((p) => p.body as Body);
const stacks = (session: Session): readonly (readonly Frame[])[] =>
  bodies(session, 'stackTrace').map((body) => body.stackFrames ?? []);
const layers = (session: Session): readonly unknown[] => stacks(session).map((frames) => frames.at(-3)?.name);

/** What `neovim.test.ts` recorded of the plugin, sent to `cutaway dap` as it was, in its order. */
describe('a client that sends what nvim-dap sends', () => {
  const done: Session[] = [];
  beforeAll(async () => {
    for (const steps of sessions) done.push(await playAll(steps));
  }, 240_000);
  const session = (number: number): Session => {
    const found = done[number];
    if (!found) throw new Error(`the transcript has no session ${number}`);
    return found;
  };

  it('stops in the right layer and token, steps, and steps back to the same', () => {
    const [entry, stop, stepped, back] = stacks(session(0));
    expect(entry?.at(-2)?.name).toMatch(/^prefill, 4 tokens/);
    expect(stop?.map((f) => f.name)).toEqual([
      'attn.pattern = Softmax(attn.scores)',
      'attn',
      'blocks.1',
      expect.stringMatching(/^step 1, 5 tokens, the last 't\d+'$/),
      'generation',
    ]);
    expect(stepped?.[0]?.line).toBe((stop?.[0]?.line ?? 0) + 1);
    expect(back).toEqual(stop);
    const [before, again, edits] = bodies(session(0), 'evaluate').map((body) => body.result);
    expect(before).toMatch(/^\d+\.\d+$/);
    expect(again).toBe(before);
    expect(edits).toBe(edit);
  });

  it('reads whole scopes, and a tensor down to its numbers', () => {
    const lists = session(0).played.filter((p) => p.command === 'variables');
    expect(lists.every((p) => Object.keys(p.given).join() === 'variablesReference')).toBe(true);
    const inside = bodies(session(0), 'variables').map((body) => body.variables ?? []);
    const sites = inside.find((list) => list.some((v) => v.name === scene.tensor));
    expect(sites?.find((v) => v.name === scene.tensor)?.value).toMatch(/^\[1, 4, 1, 5\] min \S+ max \S+ mean 0\.20000/);
    const cells = inside.find((list) => list.length === 5 && list.every((v) => /^\S+$/.test(v.value)));
    expect(cells?.reduce((sum, cell) => sum + Number(cell.value), 0)).toBeCloseTo(1, 4);
  });

  it('changes a value, and the text becomes another: the one that the command line makes of that edit', async () => {
    expect(bodies(session(0), 'setExpression')[0]?.value).toMatch(/min 3 max 3 /);
    const [changed, unchanged] = [session(0), session(1)].map(({ client }) => client.output('stdout'));
    expect(changed).toBe(`${await generated(edit)}\n`);
    expect(unchanged).toBe(`${await generated()}\n`);
    expect(changed).not.toBe(unchanged);
  });

  it('finds the breakpoint again that it set in the listing before the run began', () => {
    expect(stacks(session(1))).toEqual([stacks(session(0))[1]]);
  });

  it('logs, goes out, back, to the cursor, elsewhere, to the beginning of a layer, and of the whole', () => {
    const roaming = session(2);
    expect(layers(roaming)).toEqual([
      ...['embed', 'blocks.1', 'blocks.1', 'blocks.2'], // the entry, a breakpoint, over and out
      ...['blocks.1', 'blocks.1', 'blocks.0', 'blocks.0', 'embed'], // back, the cursor, goto, the frame, restart
    ]);
    expect(stacks(roaming)[4]).toEqual(stacks(roaming)[1]);
    expect(roaming.client.output('console')).toMatch(/^(layer \d\n)+$/);
    const verified = bodies(roaming, 'setBreakpoints').flatMap((body) => body.breakpoints ?? []);
    expect(verified.length).toBeGreaterThan(4);
    expect(verified.every((b) => b.verified)).toBe(true);
    expect(bodies(roaming, 'source')[0]?.content).toMatch(/^("t\d+" {2}\d+\n){5}$/);
    expect(bodies(roaming, 'gotoTargets')[0]?.targets).toHaveLength(3);
  });

  it('stops where numbers are lost, and says so when it is asked', () => {
    const failing = session(3);
    expect(layers(failing)).toEqual(['blocks.1']);
    expect(bodies(failing, 'exceptionInfo')[0]).toMatchObject({ exceptionId: 'nan', breakMode: 'always' });
    expect(failing.client.closed).toBe(true);
  });
});
