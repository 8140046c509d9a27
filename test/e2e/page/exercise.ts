import type { JsonObject } from '../../../src/base/index.js';
import {
  Compilations,
  forward,
  generate,
  prepareExperiment,
  runOrder,
  type Backend,
  type ExperimentContext,
  type Variant,
} from '../../../src/engine/index.js';
import type { Weights } from '../../../src/formats/index.js';
import type { Program } from '../../../src/graph/index.js';
import { parseEdits } from '../../../src/language/index.js';
import { makeProgram } from '../../../src/models/index.js';
import { toFloat32, type Tensor } from '../../../src/tensor/index.js';

/** What is to be computed, as plain data. */
export interface Exercise {
  /** Token ids, by the prompt's name. */
  readonly prompts: Readonly<Record<string, readonly number[]>>;
  /** Sites to capture of each prompt. */
  readonly sites: Readonly<Record<string, readonly string[]>>;
  readonly greedy: { readonly ids: readonly number[]; readonly newTokens: number };
  /** Edits, each by itself, and the prompt that it is tried on. */
  readonly edited: readonly { readonly name: string; readonly edits: string; readonly ids: readonly number[] }[];
}

export interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Tokens, and the logits that each was taken from, one after the other. */
export interface Generated {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
}

/** What came out, as plain data. */
export interface Outcome {
  readonly backend: string;
  /** By `PROMPT.SITE`. */
  readonly sites: Readonly<Record<string, Numbers>>;
  readonly greedy: Generated;
  readonly greedyUncached: Generated;
  /** Logits of all positions, by the edit's name. */
  readonly edited: Readonly<Record<string, Numbers>>;
  /** The same with the edit undone. */
  readonly undone: Readonly<Record<string, Numbers>>;
}

const plain = (tensor: Tensor | undefined): Numbers =>
  tensor ? { shape: tensor.shape, values: [...toFloat32(tensor)] } : { shape: [], values: [] };

interface Model {
  readonly program: Program;
  readonly weights: Weights;
  readonly compilations: Compilations;
}

const unchanged = ({ program }: Model): Variant => ({
  order: runOrder(program, []),
  edits: new Map(),
  weights: new Map(),
});

const sitesOf = async (model: Model, { prompts, sites }: Exercise): Promise<Outcome['sites']> => {
  const found: Record<string, Numbers> = {};
  for (const [prompt, ids] of Object.entries(prompts)) {
    const capture = new Set(sites[prompt]);
    const result = await forward(model, { variant: unchanged(model), ids: [ids], capture, logits: 'all' });
    for (const [site, tensor] of result.sites) found[`${prompt}.${site}`] = plain(tensor);
  }
  return found;
};

const greedyOf = async (model: Model, { greedy }: Exercise, withoutCache: boolean): Promise<Generated> => {
  const { ids, newTokens: maxNewTokens } = greedy;
  const wanted = { variant: unchanged(model), ids, maxNewTokens, sampling: {}, eos: new Set<number>() };
  const made: { ids: number[]; logits: number[] } = { ids: [], logits: [] };
  for await (const { taken, logits } of generate(model, { ...wanted, withoutCache })) {
    made.logits.push(...logits);
    if (taken) made.ids.push(taken.id);
  }
  return made;
};

const nothing = () => Promise.reject(new Error('no edit of the exercise needs this'));

const contextOf = (model: Model, ids: readonly number[]): ExperimentContext => {
  const tokens = ids.map((id) => ({ text: `t${id}` }));
  return {
    ...model,
    unedited: () => model,
    prompt: { ids, tokens },
    sequence: { tokens, length: ids.length },
    encode: nothing,
    tokenId: nothing,
    readVector: nothing,
    readPrompts: nothing,
    readRecorded: nothing,
  };
};

const logitsUnder = async (model: Model, variant: Variant, ids: readonly number[]): Promise<Numbers> =>
  plain((await forward(model, { variant, ids: [ids], capture: new Set(), logits: 'all' })).logits);

/** Logits with each edit, and without it again. */
const editsOf = async (
  given: Model,
  backend: Backend,
  request: Exercise,
): Promise<Pick<Outcome, 'edited' | 'undone'>> => {
  const edited: Record<string, Numbers> = {};
  const undone: Record<string, Numbers> = {};
  for (const { name, edits, ids } of request.edited) {
    const model = { ...given, compilations: new Compilations(backend, given.weights) };
    const { variant } = await prepareExperiment(contextOf(model, ids), parseEdits(edits));
    edited[name] = await logitsUnder(model, variant, ids);
    undone[name] = await logitsUnder(model, unchanged(model), ids);
    await model.compilations.dispose();
  }
  return { edited, undone };
};

/** Runs a model in all the ways that are asked for. The same code in a page and in Node. */
export const exercise = async (
  { config, weights, backend }: { config: JsonObject; weights: Weights; backend: Backend },
  request: Exercise,
): Promise<Outcome> => {
  const names = new Set(weights.names());
  const program = makeProgram(config, (name) => names.has(name));
  const model: Model = { program, weights, compilations: new Compilations(backend, weights) };
  const sites = await sitesOf(model, request);
  const [greedy, greedyUncached] = [await greedyOf(model, request, false), await greedyOf(model, request, true)];
  await model.compilations.dispose();
  return { backend: backend.name, sites, greedy, greedyUncached, ...(await editsOf(model, backend, request)) };
};
