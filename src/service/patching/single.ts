import { noiseEdit, type CellValue } from '../../analyses/patching/index.js';
import { mean, normalNumbers, randomNumbers, type Grid } from '../../analyses/sweep/index.js';
import {
  canonicalName,
  placedSites,
  tokenRows,
  type PlacedSite,
  type Prompt,
  type SweepModel,
} from '../../engine/index.js';
import type { OpenModel } from '../open-model.js';
import {
  cellsOf,
  invalid,
  keyed,
  patched,
  readMetric,
  sweepModel,
  type Drawn,
  type PairResult,
  type Prepared,
} from './prepared-pair.js';
import { subjectOf } from './subject.js';

/** Means over draws, cell by cell. */
const meanOver = (draws: readonly (readonly number[])[]): readonly number[] =>
  (draws[0] ?? []).map((_, c) => mean(draws.map((d) => d[c] ?? NaN)));

/** Draws of a pair as one result. */
const drawnResult = (
  p: Prepared,
  grids: readonly Grid[],
  { draws, clean, corrupted }: { readonly draws: readonly Drawn[]; readonly clean: number; readonly corrupted: number },
): PairResult => {
  const count = (what: 'runs' | 'known') => draws.reduce((sum, d) => sum + d[what], 0);
  return {
    ...{ metric: p.metric, grids, runs: count('runs'), known: count('known'), clean, corrupted },
    values: keyed(p, { grids, prompt: p.pair.prompt }, meanOver(draws.map((d) => d.values))),
  };
};

const rowsAtOnce = 4096;

/** What the embedding gives of all tokens, as the stream gets it: scaled (Gemma, Marian), or through a matrix (OPT 350M). */
async function* embeddings(model: OpenModel, { variant }: SweepModel): AsyncGenerator<Float32Array> {
  const { embedding, vocab } = model.program.facts;
  if (model.live) {
    yield (await model.weights.read(embedding)).data;
    return;
  }
  for (let from = 0; from < vocab; from += rowsAtOnce) {
    const ids = Array.from({ length: Math.min(rowsAtOnce, vocab - from) }, (_, i) => from + i);
    yield (await tokenRows(model, variant, ids)).data;
  }
}

/** Three times the standard deviation of the embedding. Meng et al. 2022 §2.1, who take it over the words of their subjects. */
const usualSigma = async (model: OpenModel, swept: SweepModel): Promise<number> => {
  let [sum, squares, count] = [0, 0, 0];
  for await (const data of embeddings(model, swept)) {
    for (const x of data) {
      sum += x;
      squares += x * x;
    }
    count += data.length;
  }
  return 3 * Math.sqrt(squares / count - (sum / count) ** 2);
};

/** Where noise is added: the embedding of the text that the model reads. */
const embeddingOf = ({ run }: Prepared, { variant }: SweepModel): PlacedSite => {
  const places = placedSites(variant.order);
  const found = ['embed', 'encoder.embed'].map((name) => canonicalName(run.model.program, name));
  const place = places.find((p) => found.includes(p.name));
  if (!place) throw invalid('this model has no embedding to add noise to', 'Choose another method.');
  return place;
};

/** Clean values back into runs whose embedding is noised. */
export const noisePair = async (p: Prepared): Promise<PairResult> => {
  const { run, pair } = p;
  const { prompt } = pair;
  const { input, model } = run;
  const plain = await sweepModel(run, prompt);
  const place = embeddingOf(p, plain);
  const read = (place.instance.segment.stack === 'encoder' ? prompt.source : prompt) ?? prompt;
  const { length } = read.ids;
  const positions = subjectOf(pair.subject ?? input.subject, read);
  const sigma = input.sigma ?? (await usualSigma(model, plain));
  const width = Number(place.type.shape.at(-1));
  const { grids, cells } = cellsOf(p, plain, prompt);
  const metric = await readMetric(plain, prompt, { model, text: p.metric });
  const to = { kind: 'patch', prompt, metric, variant: plain.variant } as const;
  const draws: Drawn[] = [];
  for (let draw = 0; draw < input.samples; draw++) {
    const normal = normalNumbers(input.seed * 100_003 + draw);
    const data = Float32Array.from({ length: length * width }, () => sigma * normal());
    const noise = { dtype: 'float32', shape: [1, length, width], data } as const;
    const swept = { ...plain, variant: noiseEdit(plain, place.name, { positions, noise }) };
    draws.push(await patched(p, swept, { prompt, cells, metric, to, draw }));
  }
  const ends = { clean: draws[0]?.other ?? NaN, corrupted: mean(draws.map((d) => d.base)) };
  return { ...drawnResult(p, grids, { draws, ...ends }), sigma };
};

/** Prompts of the other pairs to draw from: of as many tokens. */
const resampled = ({ run, pair, at }: Prepared): readonly Prompt[] => {
  const own = pair.prompt.ids.length;
  const others = run.pairs.filter((_, i) => i !== at).map((o) => o.prompt);
  const all = pair.corrupt ? [pair.corrupt, ...others] : others;
  const alike = all.filter((o) => o.ids.length === own && o.source?.ids.length === pair.prompt.source?.ids.length);
  if (alike.length > 0) return alike;
  throw invalid(
    'there is no other prompt of as many tokens to draw from',
    'Give several with --pairs FILE.jsonl, or one with --corrupt.',
  );
};

/** What cells are set to, draw by draw. */
const valuesOf = async (p: Prepared, swept: SweepModel): Promise<readonly CellValue[]> => {
  const { input, model, pairs } = p.run;
  if (input.method === 'zero') return [{ kind: 'zero' }];
  if (input.method === 'mean') return [{ kind: 'mean', prompts: pairs.map((o) => o.prompt) }];
  const others = resampled(p);
  const random = randomNumbers(input.seed + p.at);
  const values: CellValue[] = [];
  for (let draw = 0; draw < (others.length === 1 ? 1 : input.samples); draw++) {
    const prompt = others[Math.floor(random() * others.length)] as Prompt;
    values.push({ kind: 'patch', prompt, metric: await readMetric(swept, prompt, { model, text: p.metric }) });
  }
  return values;
};

/** Cells of the run itself set to nothing, to means, or to what they are in other prompts. */
export const ablatePair = async (p: Prepared): Promise<PairResult> => {
  const { prompt } = p.pair;
  const swept = await sweepModel(p.run, prompt);
  const { grids, cells } = cellsOf(p, swept, prompt);
  const metric = await readMetric(swept, prompt, { model: p.run.model, text: p.metric });
  const draws: Drawn[] = [];
  for (const [draw, to] of (await valuesOf(p, swept)).entries())
    draws.push(await patched(p, swept, { prompt, cells, metric, to, draw }));
  return drawnResult(p, grids, { draws, clean: draws[0]?.base ?? NaN, corrupted: NaN });
};
