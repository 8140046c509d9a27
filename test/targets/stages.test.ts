import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDebuggee, type Debuggee } from '../../src/service/index.js';
import { scratch } from '../cli/broken.js';
import { cutaway, json, llama, tiny } from '../cli/command.js';
import { openTarget } from '../../src/service/index.js';
import { asked, made } from './targets.js';

const begin = (more: object = {}) => openDebuggee(asked(more));

/** The bits of the stream behind each layer of each step, as the run has them. */
const bitsOf = async ({ session }: Debuggee): Promise<readonly string[]> => {
  const bits: string[] = [];
  await session.goTo({ step: 0, at: 0, op: 0 });
  for (;;) {
    const { instance, position } = session;
    const site = instance?.segment.graph.sites.find((s) => s.name.endsWith('resid_post'))?.name;
    const values = await session.look(site === undefined ? [] : [site]);
    bits.push(`${position.step}.${position.at} ${[...values.values()].map((t) => [...t.data].join()).join(';')}`);
    if ((await session.stepForward('layer')).reason === 'end') break;
  }
  return [...bits, session.ids.join()];
};

/** A run that is changed on its way, three times; one change takes in a layer that has no keys and values yet. */
const changeOnTheWay = async (debuggee: Debuggee): Promise<void> => {
  const { session } = debuggee;
  await session.goTo({ step: 0, at: 2, op: 5 });
  await debuggee.edit('scale blocks.1.mlp_out by 3\nscale blocks.0.mlp_out by 2');
  await session.goTo({ step: 1, at: 2, op: 0 });
  await debuggee.edit('repeat layer 2');
  await session.goTo({ step: 2, at: 0, op: 0 });
  await debuggee.edit('force token 7 at step 2\ndrop head 1.0');
};

describe('a run that is changed on its way', () => {
  it('is recorded with where, and comes out the same when it is opened with its model', async () => {
    const file = path.join(scratch, 'stages.cutrec');
    const target = await openTarget(asked());
    const go = (step: number, at: number) => target.resume({ kind: 'goto', position: { step, at, op: 0 } });
    await go(0, 2);
    await target.apply({ change: 'edit', text: 'scale blocks.1.mlp_out by 3\nscale blocks.0.mlp_out by 2' });
    await go(2, 1);
    await target.apply({ change: 'edit', text: 'force token 7 at step 2' });
    await target.resume({ kind: 'continue' });
    const { tokens, edits } = target.state;
    await target.apply({ change: 'record', file });
    await target.dispose();

    const again = await openTarget(asked({ ids: undefined, fromRecording: file, maxNewTokens: undefined }));
    expect(again.state).toMatchObject({ position: { step: 0, at: 0, op: 0 }, edits });
    await again.resume({ kind: 'continue' });
    expect(again.state.tokens).toEqual(tokens);
    await again.dispose();

    const whole = ['run', llama, '--from-recording', file];
    expect((await cutaway(...whole)).stderr).toContain('changes of');
    const { generated } = await json<{ generated: { ids: number[] } }>(...whole, '--quiet');
    expect(generated.ids).not.toEqual(tokens.slice(4).map((t) => t.id)); // there they count from the beginning
  });

  it('has the same bits in every layer when its changes are made again, and when one goes back', async () => {
    const [first, second] = [await begin(), await begin()];
    await changeOnTheWay(first.debuggee);
    while ((await first.debuggee.session.stepForward('layer')).reason !== 'end');
    const bits = await bitsOf(first.debuggee);
    expect(first.debuggee.stages.map(({ place }) => [place.step, place.at])).toEqual([[0, 0], [0, 2], [1, 2], [2, 0]]); // prettier-ignore
    expect(await second.debuggee.replay(first.debuggee.stages)).toBe(true);
    expect(await bitsOf(second.debuggee)).toEqual(bits);
    expect(await bitsOf(first.debuggee)).toEqual(bits);
    const plain = await begin();
    expect(await bitsOf(plain.debuggee)).not.toEqual(bits);
    for (const { model } of [first, second, plain]) await model.dispose();
  });

  it('has the same bits whatever way one goes about in it', async () => {
    const { debuggee, model, again } = await begin();
    await changeOnTheWay(debuggee);
    const other = await again([]);
    await changeOnTheWay(other);
    const bits = await bitsOf(debuggee);
    const moves = fc.constantFrom('layer', '-layer', 'token', '-token', 'op', '-op', 'look');
    await fc.assert(
      fc.asyncProperty(fc.array(moves, { minLength: 3, maxLength: 25 }), async (way) => {
        for (const move of way) {
          const by = move.replace('-', '') as 'layer' | 'token' | 'op';
          if (move === 'look') await other.session.look([]);
          else await (move.startsWith('-') ? other.session.stepBack(by) : other.session.stepForward(by));
        }
        expect(await bitsOf(other)).toEqual(bits);
      }),
      { numRuns: 8 },
    );
    await model.dispose();
  });

  it('is as it was before a change that is undone there, however many came before', async () => {
    const { debuggee, model, again } = await begin();
    await debuggee.session.goTo({ step: 1, at: 2, op: 3 });
    for (let n = 0; n < 12; n++) await debuggee.edit(`scale blocks.1.mlp_out by 1.${n + 1}`);
    for (let n = 0; n < 11; n++) await debuggee.undo();
    const direct = await again([]);
    await direct.session.goTo({ step: 1, at: 2, op: 3 });
    await direct.edit('scale blocks.1.mlp_out by 1.1');
    expect(debuggee.position).toEqual(direct.position);
    expect(await bitsOf(debuggee)).toEqual(await bitsOf(direct));
    await debuggee.session.goTo({ step: 1, at: 2, op: 3 });
    expect(await debuggee.undo()).toBe(true);
    expect([debuggee.stages.length, await debuggee.undo()]).toEqual([1, false]);
    expect(await bitsOf(debuggee)).toEqual(await bitsOf(await again([])));
    await model.dispose();
  });

  it.each([llama, tiny('t5-default')])(
    'goes on after a change at the end of a step, with the scores that it has: %#',
    async (of) => {
      const { debuggee, model } = await begin({ model: of });
      const { session } = debuggee;
      await session.goTo({ step: 0, at: session.instances.length, op: 0 });
      const { logits, chosen } = session;
      await debuggee.edit('scale logits by 2');
      expect([session.logits, session.chosen]).toEqual([logits, chosen]);
      await debuggee.edit('force token 7 at step 0');
      await session.stepForward('layer');
      expect([debuggee.position.step, session.ids.at(-1)]).toEqual([1, 7]);
      expect((await session.continue()).reason).toBe('end');
      expect(debuggee.position.step).toBe(made);
      await model.dispose();
    },
  );
});
