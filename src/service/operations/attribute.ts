import { bug } from '../../base/index.js';
import type { AttributeInput, AttributeResult } from '../../protocol/index.js';
import { attribution } from '../attribution/attribution.js';
import { attributionExport } from '../attribution/export.js';
import { checkExport, writeExport } from '../exports/index.js';
import { isSinglePrompt, onEachPrompt } from '../edited-model.js';
import type { Operation } from '../operation.js';

/** How much each token has to do with what the model says. */
export const attribute: Operation<AttributeInput, AttributeResult> = {
  name: 'attribute',
  help: 'How much each token of a prompt has to do with a number that the model makes of it, such as the score of the word that it says next: by gradients, relevance, attention, or by leaving tokens out; with a check of how far to trust it.',
  async run(input, context) {
    await checkExport(input.out);
    const result = await onEachPrompt({ ...input, live: true, manyForms: isSinglePrompt(input) }, context, (opened) =>
      attribution(opened, input, context),
    );
    if (Array.isArray(result)) throw bug('one prompt is explained');
    await writeExport(input.out, attributionExport(result), context);
    return result;
  },
};
