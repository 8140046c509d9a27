import { lens } from '../../analyses/lens/index.js';
import { bug } from '../../base/index.js';
import { forward, prepareExperiment, type Prompt, type Variant } from '../../engine/index.js';
import { parseEdits } from '../../language/index.js';
import type { ScoredToken, TourInput, TourResult } from '../../protocol/index.js';
import { range, toFloat32, type Tensor } from '../../tensor/index.js';
import { checkpoints } from '../cancel.js';
import { contextFor } from '../experiment.js';
import { needTokenizer, openModel, type OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptOfText, promptView, textOf } from '../prompts.js';
import { scoredTokens } from '../scored.js';
import { readTour, type TourCase } from '../zoo.node.js';

const shown = 5;

const variantOf = async (model: OpenModel, prompt: Prompt, edits: string): Promise<Variant> =>
  (await prepareExperiment(contextFor(model, prompt, 0), parseEdits(edits))).variant;

const nextOf = async (model: OpenModel, prompt: Prompt, variant: Variant): Promise<ScoredToken[]> => {
  const { logits } = await forward(model, { variant, ids: [prompt.ids], capture: new Set() });
  return scoredTokens(logits?.data ?? new Float32Array(), shown, (id) => textOf(model, id));
};

/** [query][key] of one head of a pattern [1, head, query, key]. */
const patternOf = (tensor: Tensor, head: number): number[][] => {
  const [, , queries = 0, keys = 0] = tensor.shape;
  const data = toFloat32(range(tensor, 1, [head, head + 1]));
  return Array.from({ length: queries }, (_, q) => [...data.slice(q * keys, (q + 1) * keys)]);
};

const attentionOf = async (
  model: OpenModel,
  prompt: Prompt,
  { variant, tour }: { variant: Variant; tour: TourCase },
): Promise<TourResult['attention']> => {
  const site = `blocks.${tour.layer}.attn.pattern`;
  const { sites } = await forward(model, { variant, ids: [prompt.ids], capture: new Set([site]), logits: 'none' });
  const pattern = sites.get(site);
  if (!pattern) throw bug(`${site} was not captured`);
  return { site, head: tour.head, pattern: patternOf(pattern, tour.head) };
};

const chanceOf = (logits: Float32Array, id: number): number => {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, x) => total + Math.exp(x - most), 0);
  return Math.exp((logits[id] ?? -Infinity) - most) / sum;
};

const idOf = (model: OpenModel, text: string): number => {
  const id = needTokenizer(model).idOf(text);
  if (id === undefined) throw bug(`the tour's answer ${text} is not one token`);
  return id;
};

const lensRows = async (
  model: OpenModel,
  prompt: Prompt,
  { variant, tour, context }: { variant: Variant; tour: TourCase; context: OperationContext },
): Promise<TourResult['lens']> => {
  const [expected, wrong] = [idOf(model, tour.expected), idOf(model, tour.wrong)];
  const rows = await lens(model, { variant, prompt, position: -1, onSegment: checkpoints(context) });
  return rows.map(({ after, logits }) => {
    const [top] = scoredTokens(logits, 1, (id) => textOf(model, id));
    if (!top) throw bug('the lens gave no word');
    return { after, top, expected: chanceOf(logits, expected), wrong: chanceOf(logits, wrong) };
  });
};

/** What a first start shows: a prompt that goes wrong, where, and an edit that mends it. */
export const tour: Operation<TourInput, TourResult> = {
  name: 'tour',
  help: 'A first look, on a small model that comes along: a prompt that it gets wrong, where inside it goes wrong, and an edit that mends it.',
  async run(_, context) {
    const found = await readTour();
    const model = await openModel(`zoo:${found.model}`, { device: 'cpu', engine: 'onnxruntime' });
    try {
      const prompt = await promptOfText(model, found.prompt);
      const [plain, mended] = [await variantOf(model, prompt, ''), await variantOf(model, prompt, found.edit)];
      return {
        model: await model.summary(),
        prompt: found.prompt,
        tokens: promptView(prompt).tokens,
        ...{ expected: found.expected, wrong: found.wrong, edit: found.edit },
        next: await nextOf(model, prompt, plain),
        lens: await lensRows(model, prompt, { variant: plain, tour: found, context }),
        attention: await attentionOf(model, prompt, { variant: plain, tour: found }),
        mended: await nextOf(model, prompt, mended),
      };
    } finally {
      await model.dispose();
    }
  },
};
