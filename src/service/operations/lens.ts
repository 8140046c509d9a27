import { boardRows, lensBoard, type BoardCell } from '../../analyses/lens/index.js';
import { bug, nearest, UsageError } from '../../base/index.js';
import type { KeptRun, Prompt } from '../../engine/index.js';
import type { LensCell, LensInput, LensResult } from '../../protocol/index.js';
import { checkpoints } from '../cancel.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { editsOf } from '../experiment.js';
import { checkPositions, keptRun } from '../kept-run.js';
import { wordsOf } from '../words.js';
import { checkExport, shownText, tableExport, writeExport } from '../exports/index.js';
import { openTunedLens } from '../tuned-lens.node.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptView, textOf } from '../prompts.js';
import { finite } from '../finite.js';

const cellOf = (model: OpenModel, cell: BoardCell): LensCell => ({
  top: cell.top.map((t) => ({ ...t, text: textOf(model, t.id), logit: finite(t.logit) })),
  words: cell.words.map((w) => ({ rank: w.rank, logit: finite(w.logit), probability: finite(w.probability) })),
  ...{ entropy: finite(cell.entropy), norm: finite(cell.norm), broken: cell.broken },
  change: cell.change === null ? null : finite(cell.change),
  ...(cell.kl === undefined ? {} : { kl: finite(cell.kl) }),
  ...(cell.versus ? { versus: { kl: finite(cell.versus.kl), distance: finite(cell.versus.distance) } } : {}),
});

/** @throws UsageError OPTION_INVALID */
const checkAfter = (run: KeptRun, { after, stack }: Pick<LensInput, 'after' | 'stack'>): void => {
  const rows = boardRows(run, stack);
  const unknown = after?.find((name) => !rows.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`the stream is not read after ${unknown}`, {
    code: 'OPTION_INVALID',
    hint: `Did you mean ${nearest(unknown, rows)[0] ?? 'embed'}?`,
  });
};

/** The encoder's text. @throws UsageError OPTION_INVALID */
const sourceOf = ({ source }: Prompt): Prompt => {
  if (source) return source;
  throw new UsageError('this model has no encoder before a decoder', {
    code: 'OPTION_INVALID',
    hint: 'Leave out the stack.',
  });
};

const versusOf = async (
  opened: Opened,
  versus: LensInput['versus'],
  context: OperationContext,
): Promise<KeptRun | undefined> => {
  if (!versus) return undefined;
  const edits = await editsOf({ edits: versus });
  return (await keptRun({ ...opened, edits }, { logits: 'none', context })).run;
};

const lensOf = async (opened: Opened, input: LensInput, context: OperationContext): Promise<LensResult> => {
  const { model, prompt } = opened;
  const positions = checkPositions(input.positions, input.stack === 'encoder' ? sourceOf(prompt) : prompt);
  const words = input.stack === 'encoder' || input.wordless ? [] : await wordsOf(model, input.words);
  const versus = await versusOf(opened, input.versus, context);
  const { run, notes } = await keptRun(opened, { logits: 'none', context });
  checkAfter(run, input);
  const tuned = input.tuned === undefined ? undefined : await openTunedLens(input.tuned, model);
  const rows = await lensBoard(model, {
    ...{
      run,
      positions,
      top: input.top,
      words: words.map((w) => w.id),
      after: input.after,
      versus,
      stack: input.stack,
      wordless: input.wordless,
    },
    ...{ kl: input.kl, ...(tuned ? { translate: tuned.translate } : {}) },
    onPiece: checkpoints(context),
  }).finally(() => tuned?.dispose());
  return {
    model: await model.summary(),
    ...promptView(prompt),
    ...{ positions: [...positions], words: [...words] },
    rows: rows.map(({ after, cells }) => ({ after, cells: cells.map((cell) => cellOf(model, cell)) })),
    ...(notes.length > 0 ? { notes: [...notes] } : {}),
  };
};

/** What the model would say after each layer, at each position. */
export const lens: Operation<LensInput, LensResult> = {
  name: 'lens',
  help: 'What the model would say if it ended after each layer: the likeliest word at each position, how chosen words stand there, entropy, and how large the stream is and how much each layer changes it.',
  async run(input, context) {
    await checkExport(input.out);
    const result = await onEachPrompt({ ...input, live: true }, context, (opened) => lensOf(opened, input, context));
    if (Array.isArray(result)) throw bug('the lens reads one prompt');
    await writeExport(input.out, tableExport(tableOf(result)), context);
    return result;
  },
};

const tableOf = ({ rows, positions, words, tokens, target }: LensResult) => {
  const read = target ?? tokens;
  const measures = ['entropy', 'kl', 'norm', 'change'] as const;
  const told = (word: string): string[] => [`rank of ${word}`, `probability of ${word}`];
  return {
    columns: ['after', 'position', 'token', 'says', 'probability', ...measures, ...words.flatMap((w) => told(w.text))],
    rows: rows.flatMap(({ after, cells }) =>
      cells.map((cell, i) => [
        ...[after, positions[i] ?? 0, read[positions[i] ?? 0]?.text ?? ''],
        ...[cell.top[0]?.text ?? '', cell.top[0]?.probability ?? ''],
        ...measures.map((m) => cell[m] ?? ''),
        ...cell.words.flatMap((w) => [w.rank, w.probability ?? '']),
      ]),
    ),
    grid: {
      title: 'the likeliest word after each layer, on its probability',
      cells: rows.toReversed().flatMap(({ after, cells }) =>
        cells.map((cell, i) => ({
          row: after,
          column: `${positions[i] ?? 0} ${shownText(read[positions[i] ?? 0]?.text ?? '')}`,
          value: cell.top[0]?.probability ?? 0,
          text: shownText(cell.top[0]?.text ?? ''),
        })),
      ),
    },
  };
};
