import { UsageError } from '../../base/index.js';
import { probabilities, topTokens } from '../../engine/index.js';
import type { Edit } from '../../language/index.js';
import type { ViewAnswerOf } from '../../protocol/index.js';
import { textOf } from '../prompts.js';
import type { Debuggee } from './debuggee.js';

/** Of each run, how many of the likeliest are told. */
const likeliest = 5;

/** What a run is asked and how it draws is no change of the model. */
const kept: ReadonlySet<Edit['edit']> = new Set(['prompt', 'temperature', 'top-k', 'top-p', 'min-p', 'repetition-penalty', 'seed', 'config']); // prettier-ignore

/** The run without its changes, at the same place of the same step. */
const uneditedAt = async (
  debuggee: Debuggee,
  again: (edits: readonly Edit[]) => Promise<Debuggee>,
): Promise<Debuggee> => {
  const { position, instance } = debuggee.session;
  const plain = await again(debuggee.edits.filter(({ edit }) => kept.has(edit)));
  const { session } = plain;
  await session.goTo({ step: position.step, at: 0, op: 0 });
  const same = session.instances.findIndex((i) => i.name === instance?.name);
  await session.goTo({ ...session.position, at: same < 0 ? session.instances.length : same, op: 0 });
  return plain;
};

/** What comes next here; before the first layer of a step, what led to its token. */
const scoresAt = async (debuggee: Debuggee): Promise<Float32Array | undefined> =>
  (await debuggee.scores()) ?? debuggee.session.logitsOf(debuggee.session.position.step - 1);

/** KL(p ‖ q), nats. */
const divergence = (p: ArrayLike<number>, q: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const [a, b] = [p[i] ?? 0, q[i] ?? 0];
    if (a > 0) sum += a * Math.log(a / Math.max(b, Number.MIN_VALUE));
  }
  return sum;
};

const nothingKnown = (): UsageError =>
  new UsageError('nothing is known yet of what comes next', {
    code: 'COMMAND_INVALID',
    hint: 'Go on to a layer of the decoder, or to the end of the step.',
  });

/**
 * This run beside the unedited one: what comes next at this place, and the tokens of both. KL(unedited ‖ here), nats.
 * @throws UsageError COMMAND_INVALID, AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE
 */
export const compareWithUnedited = async (
  debuggee: Debuggee,
  again: (edits: readonly Edit[]) => Promise<Debuggee>,
  names: readonly string[],
): Promise<ViewAnswerOf<'compare'>> => {
  const asked: number[] = [];
  for (const name of names) asked.push((await debuggee.token(name)).token);
  const plain = await uneditedAt(debuggee, again);
  const [own, other] = [await scoresAt(debuggee), await scoresAt(plain)];
  if (!own || !other) throw nothingKnown();
  const [here, unedited] = [probabilities(own), probabilities(other)];
  const top = [...topTokens(other, likeliest), ...topTokens(own, likeliest)].map((t) => t.id);
  const words = [...new Set([...asked, ...top])].map((id) => ({
    ...{ id, text: textOf(debuggee.model, id) },
    ...{ here: here[id] ?? 0, unedited: unedited[id] ?? 0 },
  }));
  const tokens = { here: [...debuggee.tokens], unedited: [...plain.tokens] };
  return { kl: divergence(unedited, here), words, tokens };
};
