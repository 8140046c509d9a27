import { uniform, type Prompt } from '../../engine/index.js';
import { UsageError } from '../../base/index.js';
import type { OpenModel } from '../open-model.js';
import { promptOfIds } from '../prompts.js';

interface Drawn {
  readonly length: number;
  readonly sequences: number;
  readonly seed: number;
}

/** What a tokenizer puts before and behind a text. */
const template = async ({
  tokenizer,
}: OpenModel): Promise<{ readonly before: number[]; readonly behind: number[] }> => {
  if (!tokenizer) return { before: [], behind: [] };
  const tokens = await tokenizer.encode('a', { special: true });
  const added = tokens.map(({ id, start, end }) => start === end && tokenizer.specials.has(id));
  const [first, last] = [added.indexOf(false), added.lastIndexOf(false)];
  const ids = tokens.map((t) => t.id);
  return { before: ids.slice(0, Math.max(0, first)), behind: ids.slice(last + 1) };
};

/** Ids that are no special tokens. */
const ordinary = ({ tokenizer }: OpenModel, vocab: number): readonly number[] => {
  const all = Array.from({ length: Math.min(vocab, tokenizer?.vocabSize ?? vocab) }, (_, id) => id);
  const words = all.filter((id) => tokenizer?.specials.has(id) !== true);
  return words.length > 0 ? words : all;
};

/** Some ids, each another where there are enough, in an order that the seed gives. */
const draw = (
  from: readonly number[],
  count: number,
  { seed, sequence }: { seed: number; sequence: number },
): number[] => {
  const left = [...from];
  return Array.from({ length: count }, (_, step) => {
    if (left.length === 0) left.push(...from);
    const at = Math.floor(uniform({ seed, sequence, step }) * left.length);
    const [id = 0] = left.splice(at, 1);
    return id;
  });
};

/** @throws UsageError OPTION_INVALID */
const checkLength = (tokens: number, most: number | undefined): void => {
  if (most === undefined || tokens <= most) return;
  throw new UsageError(`twice so many tokens are ${tokens}, and the model reads ${most}`, {
    code: 'OPTION_INVALID',
    hint: 'Give a smaller --length.',
  });
};

/**
 * Random tokens said twice, as the model would get them: within what the tokenizer's template adds. On these the only
 * thing to go on is that they come again.
 * @source Olsson et al. 2022, "In-context Learning and Induction Heads": repeated random tokens
 * @throws UsageError OPTION_INVALID where they are longer than the model reads
 */
export const drawnPrompts = async (
  model: OpenModel,
  { length, sequences, seed }: Drawn,
): Promise<readonly Prompt[]> => {
  const { facts } = model.program;
  const { before, behind } = await template(model);
  const words = ordinary(model, facts.encoder?.vocab ?? facts.vocab);
  const targets = ordinary(model, facts.vocab);
  const tokens = before.length + 2 * length + behind.length;
  checkLength(tokens, facts.encoder ? facts.encoder.maxPositions : facts.maxPositions);
  return Array.from({ length: sequences }, (_, i) => {
    const said = draw(words, length, { seed, sequence: 2 * i });
    const ids = [...before, ...said, ...said, ...behind];
    if (!facts.encoder) return promptOfIds(model, ids);
    const own = draw(targets, length, { seed, sequence: 2 * i + 1 });
    return promptOfIds(model, ids, [...own, ...own]);
  });
};
