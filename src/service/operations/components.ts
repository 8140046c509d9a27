import { bug } from '../../base/index.js';
import type { ComponentsInput, ComponentsResult } from '../../protocol/index.js';
import { directPaths } from '../components/direct-paths.js';
import { scoreOf } from '../components/score.js';
import { accumulatedOf, neuronsOf, partsOf } from '../components/tell-parts.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { checkExport, tableExport, writeExport } from '../exports/index.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptView } from '../prompts.js';

/** Beyond what float32 loses, of the largest summand. */
const tolerance = 1e-4;

const componentsOf = async (
  opened: Opened,
  input: ComponentsInput,
  context: OperationContext,
): Promise<ComponentsResult> => {
  const { model, prompt } = opened;
  const { told, expression, notes } = await scoreOf(opened, input, context);
  const paths = await directPaths(opened, { expression, neurons: input.neurons > 0 }, context);
  const parts = [...partsOf(paths, told.position)];
  const sum = parts.reduce((total, { value }) => total + value, 0);
  const residual = told.value - sum;
  const largest = parts.reduce((most, { value }) => Math.max(most, Math.abs(value)), 1);
  const off = `the parts miss the score by ${residual.toPrecision(3)}: what edits add to the stream itself is no part of the model`;
  const all = [...notes, ...(Math.abs(residual) > tolerance * largest ? [off] : [])];
  return {
    model: await model.summary(),
    ...promptView(prompt),
    ...{ score: told, parts, sum, residual },
    accumulated: accumulatedOf(paths, told.position),
    ...(input.neurons > 0 ? { neurons: [...neuronsOf(paths, told.position, input.neurons)] } : {}),
    ...(all.length > 0 ? { notes: all } : {}),
  };
};

/** A score told apart into what each head, MLP, embedding and bias gives to it. */
export const components: Operation<ComponentsInput, ComponentsResult> = {
  name: 'components',
  help: 'Direct logit attribution: what each head, MLP, embedding and bias gives to a word’s score, or to how far it is above another’s, straight through the final norm with its scale held. The parts sum to the score. Also what the stream after each layer gives, and single neurons.',
  async run(input, context) {
    await checkExport(input.out);
    const result = await onEachPrompt(input, context, (opened) => componentsOf(opened, input, context));
    if (Array.isArray(result)) throw bug('one prompt’s score is told apart');
    await writeExport(input.out, tableExport(tableOf(result)), context);
    return result;
  },
};

const tableOf = ({ parts, score }: ComponentsResult) => ({
  columns: ['part', 'name', 'layer', 'head', 'value'],
  rows: parts.map((p) => [p.part, p.name, p.layer ?? '', p.head ?? '', p.value]),
  grid: {
    title: `direct contributions to ${score.word.text}${score.against ? ` over ${score.against.text}` : ''}`,
    cells: parts.flatMap((p) =>
      p.layer !== undefined && (p.part === 'head' || p.part === 'mlp')
        ? [{ row: p.layer, column: p.part === 'mlp' ? 'mlp' : `${p.head ?? ''}`, value: p.value }]
        : [],
    ),
  },
});
