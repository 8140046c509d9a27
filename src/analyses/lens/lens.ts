import { UsageError } from '../../base/index.js';
import { forward, scoreRows, siteIn, type Compilations, type Prompt, type Variant } from '../../engine/index.js';
import { type Program } from '../../graph/index.js';
import { concat, range, type Tensor } from '../../tensor/index.js';

export interface LensRequest {
  readonly variant: Variant;
  readonly prompt: Prompt;
  /** Which token of the prompt; negative from the end. */
  readonly position: number;
  readonly onSegment?: (name: string) => void | Promise<void>;
}

/** The guess after one part of the model. */
export interface LensRow {
  /** `embed`, or the block after which the stream is read: `blocks.3`. */
  readonly after: string;
  /** [vocab] */
  readonly logits: Float32Array;
}

const streamAfter = (variant: Variant): readonly { readonly after: string; readonly site: string }[] => {
  const blocks = variant.order.filter((i) => i.segment.kind === 'block' && i.segment.stack !== 'encoder');
  const first = blocks[0];
  const after = blocks.map((i) => ({ after: i.name, site: siteIn(i, `${i.segment.id}.resid_post`) }));
  return first ? [{ after: 'embed', site: siteIn(first, `${first.segment.id}.resid_pre`) }, ...after] : after;
};

/** @throws UsageError METHOD_UNFIT for a classifier */
export const checkScores = (program: Program): void => {
  if (program.facts.output !== 'labels') return;
  throw new UsageError('the lens reads words, and this model scores labels', {
    code: 'METHOD_UNFIT',
    hint: 'Use a model with a language-model or masked-word head.',
  });
};

/**
 * The next-token guess after each layer: the stream at one position, normed and unembedded early.
 * @returns a row for the embedding and one for each block that runs
 * @throws UsageError METHOD_UNFIT for a classifier
 * @source nostalgebraist 2020, "interpreting GPT: the logit lens"
 */
export const lens = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  { variant, prompt, position, onSegment }: LensRequest,
): Promise<readonly LensRow[]> => {
  checkScores(model.program);
  const places = streamAfter(variant);
  const { sites } = await forward(model, {
    ...{ variant, ids: [prompt.ids], logits: 'none', capture: new Set(places.map((p) => p.site)) },
    ...(prompt.source ? { source: [prompt.source.ids] } : {}),
    ...(onSegment ? { onSegment } : {}),
  });
  const at = position < 0 ? prompt.ids.length + position : position;
  const rows = places.map(({ site }) => range(sites.get(site) as Tensor, 1, [at, at + 1]));
  const logits = await scoreRows(model, variant, concat(rows, 1));
  const vocab = logits.shape[2] ?? 0;
  return places.map(({ after }, i) => ({ after, logits: logits.data.slice(i * vocab, (i + 1) * vocab) }));
};
