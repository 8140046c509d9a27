import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../src/debugger/index.js';
import { debugInput, type TargetChange } from '../../src/protocol/index.js';
import { openTarget } from '../../src/service/index.js';
import { tiny } from '../cli/command.js';

const inputs = {
  'llama-grouped': { ids: [5, 42, 9, 31] },
  't5-default': { ids: [7, 3, 12], targetIds: [4] },
};
type Name = keyof typeof inputs;

const changes: Readonly<Record<Name, readonly string[]>> = {
  'llama-grouped': [
    'scale blocks.1.attn.z[head=2] by 0',
    'set blocks.2.mlp_out[position=-1] = 0.5 from step 1',
    'drop head 0.1',
    'skip layer 1',
    'repeat layer 0',
    'weight model.layers.1.mlp.down_proj.weight[out=3] *= -2',
    'force token 7 at step 2',
    'temperature 0.8',
  ],
  't5-default': [
    'scale decoder.blocks.1.cross_attn.z by 0.5',
    'set encoder.blocks.0.mlp_out = zero',
    'drop head decoder.cross.0.1',
    'skip layer decoder.1',
    'force token 9 at step 1',
  ],
};

const open = (model: Name): Promise<Target> =>
  openTarget(debugInput.parse({ model: tiny(model), ...inputs[model], maxNewTokens: 4, ignoreEos: true }));

/** The bits of what comes out: the tokens, and the last scores. */
const outcome = async (target: Target): Promise<string> => {
  await target.resume({ kind: 'continue' });
  const { tokens } = target.state;
  const { words } = await target.view({ ask: 'words', count: 1000 });
  return JSON.stringify([tokens.map((t) => t.id), words.map((w) => [w.id, w.logit])]);
};

/** Into some layer of some step. */
const goTo = async (target: Target, [steps, layers, ops]: readonly [number, number, number]): Promise<void> => {
  for (let i = 0; i < steps; i++) await target.resume({ kind: 'step', by: 'token' });
  for (let i = 0; i < layers; i++) await target.resume({ kind: 'step', by: 'layer' });
  for (let i = 0; i < ops; i++) await target.resume({ kind: 'step', by: 'op' });
};

const place = fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 3 }), fc.nat({ max: 5 }));
const deed = (model: Name): fc.Arbitrary<TargetChange> =>
  fc.oneof(
    fc.constantFrom(...changes[model]).map((text) => ({ change: 'edit' as const, text })),
    fc.constantFrom({ change: 'undo' } as const, { change: 'undo' } as const, { change: 'redo' } as const),
  );

/** As it was when it was opened. */
const anew = async (target: Target): Promise<Target> => {
  await target.apply({ change: 'load', text: '' });
  await target.apply({ change: 'restart' });
  return target;
};

describe.each(Object.keys(inputs) as Name[])('changes of %s', (model) => {
  it('made and undone in any order are the last ones alone, to the bit', async () => {
    const targets = [await open(model), await open(model)] as const;
    await fc.assert(
      fc.asyncProperty(place, fc.array(deed(model), { minLength: 1, maxLength: 6 }), async (at, deeds) => {
        const [tried, plain] = [await anew(targets[0]), await anew(targets[1])];
        await goTo(tried, at);
        let own = 0; // what came before this try is not undone
        for (const change of deeds) {
          if (change.change === 'undo' && own === 0) continue;
          const { done } = await tried.apply(change).catch(() => ({ done: false })); // a layer that is skipped already
          if (done) own += change.change === 'undo' ? -1 : 1;
        }
        await goTo(plain, at);
        await plain.apply({ change: 'load', text: tried.state.edits.join('\n') });
        expect(tried.state.position).toEqual(plain.state.position);
        expect(await outcome(tried)).toBe(await outcome(plain));
      }),
      { numRuns: 25 },
    );
    for (const target of targets) await target.dispose();
  }, 120_000);
});
