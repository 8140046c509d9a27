import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, hostMessage, type HostMessage } from '../../protocol/index.js';
import type { ToWorker } from './messages.js';
import { Server } from './server.js';

type Posted = Extract<ToWorker, { type: 'request' }>;

/** A server between a client and a worker that only note what they get. */
const makeEnds = () => {
  const decoder = new FrameDecoder();
  const sent: HostMessage[] = [];
  const posted: Posted[] = [];
  let hungUp = false;
  const server = new Server({
    send: (pieces) => {
      pieces.forEach((piece) => decoder.push(piece));
      for (let f = decoder.next(); f; f = decoder.next()) sent.push(hostMessage.parse(f.message));
    },
    post: (message) => {
      if (message.type === 'request') posted.push(message);
    },
    hangUp: () => (hungUp = true),
    pid: 1,
  });
  const send = (message: unknown): void => encodeFrame(message).forEach((piece) => server.receive(piece));
  const ask = (id: number, method: string, more: object = {}): void =>
    send({ type: 'request', id, method, params: {}, ...more });
  const finish = (id: number): void => server.told({ type: 'answer', id, result: id });
  const isCancelled = (id: number): boolean =>
    Atomics.load(posted.find((p) => p.request.id === id)?.flag ?? new Int32Array(1), 0) === 1;
  const answers = () => sent.flatMap((m) => (m.type === 'answer' || m.type === 'error' ? [[m.id, m.type]] : []));
  return { server, sent, posted, send, ask, finish, isCancelled, answers, hungUp: () => hungUp };
};

const idsOf = (posted: readonly Posted[]): number[] => posted.map((p) => p.request.id);

describe('the server', () => {
  it('sends the worker one run at a time, and views in between', () => {
    const { posted, ask, finish, answers } = makeEnds();
    ask(1, 'run');
    ask(2, 'run');
    ask(3, 'view');
    ask(4, 'ping');
    expect([idsOf(posted), answers()]).toEqual([[1, 3], [[4, 'answer']]]);
    finish(3);
    expect(idsOf(posted)).toEqual([1, 3]);
    finish(1);
    expect(idsOf(posted)).toEqual([1, 3, 2]);
  });

  it('answers a request that is cancelled before its turn, and flags one that runs', () => {
    const { posted, ask, send, finish, answers, isCancelled } = makeEnds();
    ask(1, 'run');
    ask(2, 'run');
    send({ type: 'cancel', id: 2 });
    send({ type: 'cancel', id: 1 });
    send({ type: 'cancel', id: 77 });
    expect([answers(), isCancelled(1)]).toEqual([[[2, 'error']], true]);
    finish(1);
    expect([answers().length, idsOf(posted)]).toEqual([2, [1]]);
  });

  it('cancels the older request of a key', () => {
    const { ask, finish, isCancelled } = makeEnds();
    ask(1, 'view', { key: 'image' });
    ask(2, 'view', { key: 'other' });
    ask(3, 'view', { key: 'image' });
    expect([isCancelled(1), isCancelled(2), isCancelled(3)]).toEqual([true, false, false]);
    finish(1);
    ask(4, 'view', { key: 'image' });
    expect(isCancelled(3)).toBe(true);
  });

  it('refuses more open requests than it can keep', () => {
    const { ask, answers, server } = makeEnds();
    for (let id = 0; id < 300; id++) ask(id, 'run');
    expect([server.pending, answers().length]).toEqual([256, 44]);
  });

  it('tells of an id that comes twice, and answers it once', () => {
    const { ask, sent, finish, answers } = makeEnds();
    ask(1, 'run');
    ask(1, 'run');
    finish(1);
    finish(1);
    expect([sent.filter((m) => m.type === 'fault').length, answers()]).toEqual([1, [[1, 'answer']]]);
  });

  it('answers what has an id and is otherwise no message', () => {
    const { send, answers, sent } = makeEnds();
    send({ type: 'request', id: 5, method: 7 });
    send({ type: 'dance' });
    send(null);
    expect([answers(), sent.filter((m) => m.type === 'fault').length]).toEqual([[[5, 'error']], 2]);
  });

  it('hangs up on bytes that are no frame', () => {
    const { server, sent, hungUp } = makeEnds();
    server.receive(new Uint8Array(64).fill(255));
    expect([sent.map((m) => m.type), hungUp()]).toEqual([['fault'], true]);
  });

  it('gives an answer too large for a frame as an error', () => {
    const { ask, server, answers } = makeEnds();
    ask(1, 'run');
    server.told({ type: 'answer', id: 1, result: 'x'.repeat(2 ** 24) });
    expect(answers()).toEqual([[1, 'error']]);
  });

  it('answers every request exactly once, in whatever order things come', () => {
    const step = fc.record({
      what: fc.constantFrom('ask', 'ask', 'cancel', 'finish', 'fail', 'junk'),
      id: fc.nat(12),
      method: fc.constantFrom('run', 'view', 'ping', 'nonsense'),
      key: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
      junk: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { server, ask, send, posted, finish, answers } = makeEnds();
        const asked: number[] = [];
        steps.forEach(({ what, id, method, key, junk }, i) => {
          const worker = posted[id % Math.max(1, posted.length)]?.request.id;
          if (what === 'ask') ask(asked[asked.push(i) - 1] ?? 0, method, { key });
          else if (what === 'cancel') send({ type: 'cancel', id });
          else if (what === 'junk') send({ junk });
          else if (worker !== undefined && what === 'finish') finish(worker);
          else if (worker !== undefined)
            server.told({ type: 'error', id: worker, error: { blame: 'us', code: 'INTERNAL', message: '', hint: '' } });
        });
        for (let done = 0; done < posted.length; done++) finish(posted[done]?.request.id ?? 0);
        expect(
          answers()
            .map(([id]) => Number(id))
            .sort((a, b) => a - b),
        ).toEqual(asked);
        expect(server.pending).toBe(0);
      }),
    );
  });

  it('takes any bytes without a crash', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
        const { server } = makeEnds();
        for (const piece of pieces) server.receive(piece);
      }),
    );
  });
});
