import type { Judged, Victim } from '../../analyses/attack/index.js';
import { bug } from '../../base/index.js';
import { forward, gradientBatch, likeliest, probabilities, type Prompt } from '../../engine/index.js';
import type { Expression } from '../../language/index.js';
import type { OpenModel } from '../open-model.js';
import { textOf } from '../prompts.js';
import { answerScores } from '../scoring.js';
import { embeddingSites, type TextModel } from '../attribution/text-model.js';

/** The text that is attacked: of an encoder-decoder what the encoder reads. */
export const attacked = ({ ids, tokens, source }: Prompt): Pick<Prompt, 'ids' | 'tokens'> => source ?? { ids, tokens };

/** The same prompt with another text to read. */
export const withText = (model: OpenModel, prompt: Prompt, ids: readonly number[]): Prompt => {
  const own = { ids, tokens: ids.map((id) => ({ text: textOf(model, id) })) };
  return prompt.source ? { ...prompt, source: own } : own;
};

/** −log of a label's or token's probability, where the answer stands. */
const lossOf = (label: number, position: number | undefined): Expression => {
  const at = position === undefined ? {} : { position };
  return { kind: 'unary', operator: '-', of: { kind: 'token', by: 'logprob', token: label, ...at } };
};

/**
 * A model under attack: it predicts a label, the word behind the first mask, or the next word. What is predicted
 * first decides whose loss the gradients are of, as AllenNLP has it.
 */
export class TextVictim implements Victim {
  constructor(
    readonly text: TextModel,
    /** Where the answer stands in a text. */
    readonly positionIn: (prompt: Prompt) => number | undefined,
  ) {}

  async judge(texts: readonly (readonly number[])[], label?: number): Promise<readonly Judged[]> {
    const judged: Judged[] = [];
    for (const ids of texts) judged.push(await this.#one(ids, label));
    return judged;
  }

  async #one(ids: readonly number[], wanted: number | undefined): Promise<Judged> {
    const { model, variant, prompt, onSegment, onTexts } = this.text;
    const own = withText(model, prompt, ids);
    const source = own.source ? { source: [own.source.ids] } : {};
    const { logits } = await forward(model, {
      ...{ variant, ids: [own.ids], capture: new Set(), logits: 'last', onSegment },
      ...source,
    });
    const scores = answerScores(model, own, logits);
    const label = likeliest(scores);
    const [place] = embeddingSites(this.text);
    if (!place) throw bug('nothing embeds the tokens');
    const item = { expression: lossOf(wanted ?? label, this.positionIn(own)), prompt: own };
    const { sites, scalars } = await gradientBatch(model, { variant, items: [item], sites: [place.name], onSegment });
    const gradient = sites.get(place.name);
    if (!gradient) throw bug('no gradient came back');
    onTexts(1);
    const [, rows = 0, width = 0] = gradient.shape;
    return { label, scores: [...scores], loss: scalars[0] ?? NaN, gradient: { rows, width, data: gradient.data } };
  }
}

/** The probability of a label or token among scores. */
export const probabilityOf = (scores: readonly number[], id: number): number =>
  probabilities(Float32Array.from(scores))[id] ?? 0;
