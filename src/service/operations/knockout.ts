import { divergence, measureScores } from '../../analyses/lens/index.js';
import { bug } from '../../base/index.js';
import { canonicalName, placedSites, runOrder } from '../../engine/index.js';
import { parseEdits } from '../../language/index.js';
import type { KnockoutInput, KnockoutResult, TokenView, WordInput } from '../../protocol/index.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { keptRun } from '../kept-run.js';
import { labelOf } from '../labels.js';
import { wordsOf } from '../words.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptView, textOf } from '../prompts.js';
import { answerScores } from '../scoring.js';
import { scoredTokens } from '../scored.js';
import { finite } from '../finite.js';

type Part = Pick<KnockoutResult['parts'][number], 'part' | 'head' | 'edit'>;

/** `decoder.3` as the prefix of its sites, `decoder.blocks.3`, and as heads are named behind it. */
const placeOf = (layer: string): { readonly id: string; readonly stack: string; readonly number: string } => {
  const [, stack = '', number = ''] = /^(?:(encoder|decoder)\.)?(\d{1,15})$/.exec(layer) ?? [];
  const prefix = stack === '' ? '' : `${stack}.`;
  return { id: `${prefix}blocks.${number}`, stack: prefix, number };
};

/** What can be left out of a layer. */
const partsOf = (model: OpenModel, layer: string): readonly Part[] => {
  const { id, stack, number } = placeOf(layer);
  const places = placedSites(runOrder(model.program, []));
  const typeOf = (site: string) => places.find((p) => p.name === canonicalName(model.program, site))?.type;
  const heads = (site: string, part: 'head' | 'cross-head', prefix: string): Part[] => {
    const type = typeOf(`${id}.${site}`);
    const count = Number(type?.shape[type.axes.indexOf('head')] ?? 0);
    return Array.from({ length: count }, (_, head) => ({ part, head, edit: `drop head ${prefix}${number}.${head}` }));
  };
  const whole = (site: string, part: Part['part']): Part[] =>
    typeOf(`${id}.${site}`) ? [{ part, edit: `set ${id}.${site} = zero` }] : [];
  return [
    ...heads('attn.z', 'head', stack),
    ...heads('cross_attn.z', 'cross-head', `${stack}cross.`),
    ...whole('attn_out', 'attention'),
    ...whole('cross_attn_out', 'cross-attention'),
    ...whole('mlp_out', 'mlp'),
  ];
};

/** The parts of a layer; of one that is not there its first head, which is then refused in words. */
const layerParts = (model: OpenModel, layer: string | undefined): readonly Part[] => {
  if (layer === undefined) return [];
  const found = partsOf(model, layer);
  return found.length > 0 ? found : [{ part: 'head', edit: `drop head ${layer}.0` }];
};

const labelView = (model: OpenModel, word: WordInput): TokenView => {
  const id = labelOf(model, word);
  return { id, text: model.program.facts.labels?.[id] ?? '' };
};

const knockoutOf = async (opened: Opened, input: KnockoutInput, context: OperationContext): Promise<KnockoutResult> => {
  const { model, edits, prompt } = opened;
  const { labels } = model.program.facts;
  const textAt = (id: number): string => (labels ? (labels[id] ?? `[${id}]`) : textOf(model, id));
  const words = labels ? input.words.map((word) => labelView(model, word)) : await wordsOf(model, input.words);
  const lastScores = async (extra: string, keep: boolean): Promise<Float32Array> => {
    const all = [...edits, ...parseEdits(extra)];
    const { run } = await keptRun({ ...opened, edits: all }, { logits: 'last', keep, context });
    return answerScores(model, prompt, run.logits);
  };
  const base = await lastScores('', true);
  const outcomeOf = (scores: Float32Array): KnockoutResult['base'] => {
    const [top] = scoredTokens(scores, 1, textAt);
    if (!top) throw bug('the model gave no word');
    const measured = measureScores(
      scores,
      0,
      words.map((w) => w.id),
    ).words;
    const told = words.map((word, i) => {
      const { rank = 0, logit = NaN, probability = NaN } = measured[i] ?? {};
      return { ...word, rank, logit: finite(logit), probability: finite(probability) };
    });
    return { top, words: told, kl: finite(divergence(base, scores)) };
  };
  const parts: KnockoutResult['parts'] = [];
  const all = [...layerParts(model, input.layer), ...input.tries.map((edit): Part => ({ part: 'edit', edit }))];
  for (const part of all) {
    context.progress?.({ done: parts.length, total: all.length, what: 'parts left out' });
    parts.push({ ...part, ...outcomeOf(await lastScores(part.edit, false)) });
  }
  return {
    ...promptView(prompt),
    ...(input.layer === undefined ? {} : { layer: input.layer }),
    base: outcomeOf(base),
    parts,
  };
};

/** The run without each part of a layer, one after the other. */
export const knockout: Operation<KnockoutInput, KnockoutResult> = {
  name: 'knockout',
  help: 'Leaves out each head of a layer, its attention and its MLP, one at a time, and tells what the model says then: how chosen words stand, and how far the scores move (KL divergence).',
  async run(input, context) {
    const result = await onEachPrompt(input, context, (opened) => knockoutOf(opened, input, context));
    if (Array.isArray(result)) throw bug('parts are left out of one prompt’s run');
    return result;
  },
};
