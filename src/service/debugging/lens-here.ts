import { probabilities, scoreRows, siteIn, topTokens, type Instance } from '../../engine/index.js';
import type { ViewAnswerOf } from '../../protocol/index.js';
import { range } from '../../tensor/index.js';
import { textOf } from '../prompts.js';
import type { Debuggee } from './debuggee.js';

/** Scores, and the tokens whose probabilities are asked for. */
interface Scored {
  readonly logits: Float32Array;
  readonly ids: readonly number[];
}

type Row = ViewAnswerOf<'lens'>['rows'][number];

const rowOf = ({ model }: Debuggee, place: string, { logits, ids }: Scored): Row => {
  const shares = probabilities(logits);
  const word = (id: number): Row['top'] => ({ id, text: textOf(model, id), probability: shares[id] ?? 0 });
  return { place, top: word(topTokens(logits, 1)[0]?.id ?? 0), words: ids.map(word) };
};

/** The site at which a layer takes the stream in; undefined where it is in none, or in an encoder. */
const streamOf = (instance: Instance): string | undefined => {
  const { segment } = instance;
  if (segment.kind !== 'block' || segment.stack === 'encoder') return undefined;
  const site = segment.graph.sites.find((s) => s.name.endsWith('.resid_pre'));
  return site && siteIn(instance, site.name);
};

/**
 * What the model would say before each layer that this step has come to, and at the end of the step: the newest
 * token's stream, normed and unembedded. @throws UsageError AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE
 * @source nostalgebraist 2020, "interpreting GPT: the logit lens"
 */
export const lensHere = async (debuggee: Debuggee, names: readonly string[]): Promise<ViewAnswerOf<'lens'>> => {
  const { session, model } = debuggee;
  const ids: number[] = [];
  for (const name of names) ids.push((await debuggee.token(name)).token);
  const rows: Row[] = [];
  for (const instance of session.instances.slice(0, session.position.at + 1)) {
    const site = streamOf(instance);
    const value = site === undefined ? undefined : await session.read(site);
    if (!value) continue;
    const last = value.tensor.shape[1] ?? 1;
    const scores = await scoreRows(model, session.variant, range(value.tensor, 1, [last - 1, last]));
    rows.push(rowOf(debuggee, `before ${instance.name}`, { logits: scores.data, ids }));
  }
  const { logits } = session;
  return { rows: logits ? [...rows, rowOf(debuggee, 'at the end', { logits, ids })] : rows };
};
