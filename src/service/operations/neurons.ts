import type { NeuronsInput, NeuronsResult } from '../../protocol/index.js';
import { isSinglePrompt, onEditedModel, type EditedModel } from '../edited-model.js';
import { promptEdit } from '../experiment.js';
import { checkExport, tableExport, writeExport } from '../exports/index.js';
import { neuronsOfPrompts } from '../neurons/many-prompts.js';
import { neuronsOfPrompt } from '../neurons/one-prompt.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptsOf } from '../prompts.js';

const neuronsOf = async (
  { model, edits }: EditedModel,
  input: NeuronsInput,
  context: OperationContext,
): Promise<NeuronsResult> => {
  const prompts = await promptsOf(model, input, promptEdit(edits));
  const [first] = prompts;
  if (input.prompts === undefined && first) return neuronsOfPrompt({ model, prompt: first, edits }, input, context);
  return neuronsOfPrompts({ model, prompts, edits }, input, context);
};

/** The strongest neurons, what they write, and where they fire. */
export const neurons: Operation<NeuronsInput, NeuronsResult> = {
  name: 'neurons',
  help: 'The neurons that give most to a word’s score at a position, or that are most active there, with the words that each promotes and suppresses. Over a file of prompts: the tokens at which neurons are most active, and which of each layer are dead, constant or extreme.',
  async run(input, context) {
    await checkExport(input.out);
    const result = await onEditedModel({ ...input, manyForms: isSinglePrompt(input) }, context, (opened) =>
      neuronsOf(opened, input, context),
    );
    await writeExport(input.out, tableExport(tableOf(result)), context);
    return result;
  },
};

const tableOf = ({ neurons: all }: NeuronsResult) => ({
  columns: ['name', 'layer', 'neuron', 'activation', 'value', 'mean', 'max', 'promotes', 'suppresses'],
  rows: all.map((n) => [
    ...[n.name, n.layer, n.neuron, n.activation ?? '', n.value ?? '', n.over?.mean ?? '', n.over?.max ?? ''],
    ...[n.promotes, n.suppresses].map((words) => words?.map((w) => w.text).join(' ') ?? ''),
  ]),
  grid: {
    title: 'neurons',
    cells: all.map((n) => ({
      row: n.layer,
      column: `${n.neuron}`,
      value: n.value ?? n.activation ?? n.over?.max ?? 0,
    })),
  },
});
