import { UsageError } from '../base/index.js';
import type { Prompt } from '../engine/index.js';
import type { Program } from '../graph/index.js';
import type { OpenModel } from './open-model.js';

/** Ids with their texts. */
export type Sequence = Pick<Prompt, 'ids' | 'tokens'>;

/** What a sequence is to the model. */
export type Part = 'prompt' | 'source' | 'target';

const lengthFields = ['n_positions', 'max_position_embeddings'];

/** Whether each position has learned numbers of its own, so that there are none beyond the last. */
const hasLearnedPositions = ({ inputs }: Program): boolean =>
  Object.values(inputs).some(({ rule }) => rule === 'positions');

const tooLong = (
  program: Program,
  part: Part,
  { tokens, longest }: { tokens: number; longest: number },
): UsageError => {
  const field = lengthFields.find((f) => f in program.config) ?? 'n_positions';
  const counted = part === 'target' ? 'tokens with its start token' : 'tokens';
  return new UsageError(`the ${part} has ${tokens} ${counted}, and this model reads at most ${longest}`, {
    code: 'PROMPT_TOO_LONG',
    hint: hasLearnedPositions(program)
      ? `Shorten the ${part}: there are no weights for later positions.`
      : `Shorten the ${part}, or go beyond what the model was trained for with --edit 'config ${field} = ${tokens}'.`,
    details: { tokens, longest, part },
  });
};

/** The same sequence, if the model can read it. @throws UsageError PROMPT_EMPTY, PROMPT_TOO_LONG */
export const checkLength = (model: OpenModel, sequence: Sequence, part: Part): Sequence => {
  const { facts } = model.program;
  const longest = part === 'source' ? facts.encoder?.maxPositions : facts.maxPositions;
  const tokens = sequence.ids.length;
  if (tokens === 0)
    throw new UsageError(`the ${part} has no tokens`, { code: 'PROMPT_EMPTY', hint: 'Give a text, or token ids.' });
  if (longest !== undefined && tokens > longest) throw tooLong(model.program, part, { tokens, longest });
  return sequence;
};
