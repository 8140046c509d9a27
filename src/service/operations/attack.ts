import { bug } from '../../base/index.js';
import type { AttackInput, AttackResult } from '../../protocol/index.js';
import { attackOn } from '../attack/attack.js';
import { attackExport } from '../attack/export.js';
import { isSinglePrompt, onEachPrompt } from '../edited-model.js';
import { checkExport, writeExport } from '../exports/index.js';
import type { Operation } from '../operation.js';

/** Changes to a text by which a prediction falls, or stays though it should not. */
export const attack: Operation<AttackInput, AttackResult> = {
  name: 'attack',
  help: 'Looks for weak places of a prediction, as AllenNLP Interpret does: HotFlip swaps tokens until the prediction is another; input reduction takes tokens away as long as it stays.',
  async run(input, context) {
    await checkExport(input.out);
    const result = await onEachPrompt({ ...input, manyForms: isSinglePrompt(input) }, context, (opened) =>
      attackOn(opened, input, context),
    );
    if (Array.isArray(result)) throw bug('one prompt is attacked');
    await writeExport(input.out, attackExport(result), context);
    return result;
  },
};
