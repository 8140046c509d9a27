import { bug } from '../../base/index.js';
import { isFrozenLinear, prepareExperiment } from '../../engine/index.js';
import type { Pair } from '../../analyses/circuits/index.js';
import { carried } from '../../graph/index.js';
import type { HeadInput, HeadResult, WordPair } from '../../protocol/index.js';
import { becauseOf } from '../circuits/because.js';
import { attentionLayers } from '../circuits/head-places.js';
import { needHead } from '../circuits/need-head.js';
import { scoresSite } from '../circuits/scores-site.js';
import { headExport } from '../circuits/head-export.js';
import { headCopying, wordPairs } from '../circuits/word-pairs.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptView, textOf } from '../prompts.js';
import { checkExport, writeExport } from '../exports/index.js';
import { finite } from '../finite.js';

const hasPrompt = (input: HeadInput): boolean => [input.prompt, input.ids, input.chat].some((x) => x !== undefined);

const word = (model: OpenModel, id: number) => ({ id, text: textOf(model, id) });

const pairsOf = (model: OpenModel, pairs: readonly Pair[]): WordPair[] =>
  pairs.map(({ row, column, value }) => ({ from: word(model, row), to: word(model, column), value }));

const headOf = async (opened: Opened, input: HeadInput, context: OperationContext): Promise<HeadResult> => {
  const { model, prompt, edits } = opened;
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const { layer, head } = needHead(attentionLayers(variant.order), input.head);
  const told = [...notes];
  const scores = scoresSite(model.program);
  const wordy =
    layer.stack !== 'encoder' &&
    model.program.facts.output !== 'labels' &&
    isFrozenLinear({ segment: scores, from: carried, to: 'logits' });
  if (!wordy)
    told.push('what the head joins among words is not told: its stream is not linear in words that are scored');
  for (const note of told) context.note(note);
  const asked = { variant, layer, head, top: input.top };
  const pairs = wordy && input.pairs ? await wordPairs(model, asked, context) : undefined;
  return {
    ...{ model: await model.summary(), head: input.head },
    copying: wordy && input.pairs ? finite(await headCopying(model, asked)) : null,
    ...(pairs ? { writes: pairsOf(model, pairs.writes), looks: pairsOf(model, pairs.looks) } : {}),
    ...(hasPrompt(input)
      ? {
          ...promptView(prompt),
          because: await becauseOf(
            opened,
            { layer, head, query: input.query, key: input.key, top: input.top },
            context,
          ),
        }
      : {}),
    ...(told.length > 0 ? { notes: told } : {}),
  };
};

/** One head: what its matrices do between words, and on a prompt why it looks where it looks. */
export const head: Operation<HeadInput, HeadResult> = {
  name: 'head',
  help: 'One head: the words that it joins by its matrices alone (reading one it writes another; one looks at another), how far it copies, and on a prompt why it looks where it looks: its score taken apart over what earlier heads and MLPs put into the stream at the token that looks and at the one looked at.',
  async run(input, context) {
    await checkExport(input.out);
    const given = hasPrompt(input) ? input : { ...input, ids: [0, 0] };
    const result = await onEachPrompt(given, context, (opened) => headOf(opened, input, context));
    if (Array.isArray(result)) throw bug('one head is told of on one prompt');
    await writeExport(input.out, headExport(result), context);
    return result;
  },
};
