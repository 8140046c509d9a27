import { ModelError, UsageError, type JsonObject } from '../base/index.js';
import { Compilations, KeptRuns, type Backend } from '../engine/index.js';
import { makeOnnxruntime, type OnnxruntimeOptions } from '../engine/onnxruntime/index.node.js';
import { makeReference } from '../engine/reference/index.js';
import {
  fingerprint,
  openFolder,
  openGguf,
  openTokenizer,
  openTokenizerJson,
  type ModelFolder,
  type Tokenizer,
  type Weights,
} from '../formats/index.node.js';
import { float32Bytes, type Program } from '../graph/index.js';
import { familyOf, makeProgram } from '../models/index.js';
import type { ModelInput, ModelSummary } from '../protocol/index.js';
import { checkWeights, parameterCount, paramsOf } from './check-weights.js';
import type { LiveRunner } from './live/live-runner.js';
import { totalMemoryBytes } from './machine.node.js';
import { locateModel } from './zoo.node.js';

/** A model that is open: its computation, its weights, and what runs it. */
export interface OpenModel {
  readonly folder: ModelFolder;
  readonly program: Program;
  readonly weights: Weights;
  /** Undefined where the folder has none: token ids only. */
  readonly tokenizer: Tokenizer | undefined;
  /** Why the tokenizer that is there cannot be used. */
  readonly tokenizerError?: ModelError;
  readonly backend: Backend;
  readonly compilations: Compilations;
  /** What runs it where it is a live process. */
  readonly live?: LiveRunner;
  /** Runs whose beginnings later ones share. */
  readonly runs: KeptRuns;
  /** The same model with the file's own config. */
  unedited(): { readonly program: Program; readonly compilations: Compilations };
  /** What a user should know: unused tensors, weights mapped instead of packed. */
  readonly notes: readonly string[];
  /** Seconds it took to open. */
  readonly loadSeconds: number;
  summary(): Promise<ModelSummary>;
  dispose(): Promise<void>;
}

export type OpenOptions = Omit<ModelInput, 'model'> & {
  /** Given the file's config: fields that replace its own. */
  readonly configure?: (config: JsonObject) => JsonObject;
  /** For many short runs, in forms that come and go, where packing weights for each takes longer than it saves. */
  readonly manyForms?: boolean | undefined;
};

/** Packed where the weights, widened to float32, fit well into memory; else mapped, a page at a time. */
const bindingFor = (program: Program, options: OpenOptions): OnnxruntimeOptions['binding'] => {
  if (options.binding) return options.binding;
  if (float32Bytes(paramsOf(program)) >= 0.7 * totalMemoryBytes()) return 'mapped';
  return options.manyForms && options.device === 'cpu' ? 'inputs' : 'packed';
};

const makeBackend = async (binding: OnnxruntimeOptions['binding'], options: OpenOptions): Promise<Backend> => {
  if (options.engine === 'reference') return makeReference({ precision: 'float32' });
  if (options.engine === 'reference64') return makeReference({ precision: 'float64' });
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  return makeOnnxruntime({ device: options.device, binding, ...threads });
};

/** For the streams of the latest runs of a model. */
const keptBytes = (): number => Math.floor(totalMemoryBytes() / 16);

const programFor = (folder: ModelFolder, config: JsonObject): { program: Program; notes: string[] } => {
  const names = new Set(folder.weights.names());
  const program = makeProgram(config, (name) => names.has(name));
  const tied = program.facts.embedding === program.facts.unembedding;
  const { ignoredTensors } = familyOf(config);
  const ignored = tied ? ignoredTensors : new RegExp(`(?!lm_head)(${ignoredTensors.source})`);
  return { program, notes: checkWeights(program, folder.weights, ignored) };
};

const summaryOf = async (program: Program, folder: ModelFolder): Promise<ModelSummary> => {
  const { layers, heads, modelDim, vocab, encoder } = program.facts;
  const parameters = parameterCount(program);
  return {
    ...{ family: program.family, layers, ...(encoder ? { encoderLayers: encoder.layers } : {}) },
    ...{ heads, modelDim, vocab, parameters, fingerprint: await fingerprint(folder) },
  };
};

const tokenizerOf = async ({ path, tokenizer, tokenizerJson, tokenRoles }: ModelFolder) => {
  if (tokenizer) return openTokenizer(tokenizer);
  return tokenizerJson ? openTokenizerJson(tokenizerJson, path, tokenRoles) : undefined;
};

type Words = Pick<OpenModel, 'tokenizer' | 'tokenizerError' | 'notes'>;

/** The tokenizer, or what is wrong with it: token ids can be given all the same. */
const wordsOf = async (folder: ModelFolder): Promise<Words> => {
  try {
    return { tokenizer: await tokenizerOf(folder), notes: [] };
  } catch (error) {
    if (!(error instanceof ModelError && error.info.code === 'TOKENIZER_INVALID')) throw error;
    const notes = [`prompts are given as ids, since the tokenizer cannot be used: ${error.message}`];
    return { tokenizer: undefined, tokenizerError: error, notes };
  }
};

/** Forms of a segment that are kept: many where they have no weights of their own, as a debugger's. */
const formsKept = (binding: OnnxruntimeOptions['binding']): number | undefined =>
  binding === 'apart' || binding === 'inputs' ? 16 : undefined;

const openFrom = async (folder: ModelFolder, options: OpenOptions, start: number): Promise<OpenModel> => {
  const { weights } = folder;
  const config = { ...folder.config, ...options.configure?.(folder.config) };
  const { program, notes } = programFor(folder, config);
  const words = await wordsOf(folder);
  const binding = bindingFor(program, options);
  const backend = await makeBackend(binding, options);
  const make = (): Compilations => new Compilations(backend, weights, formsKept(binding));
  const [compilations, base] = [make(), make()];
  const changed = JSON.stringify(config) !== JSON.stringify(folder.config);
  let summary: Promise<ModelSummary> | undefined;
  const unedited = () => ({ program: programFor(folder, folder.config).program, compilations: base });
  return {
    ...{ folder, program, weights, ...words, backend, compilations, runs: new KeptRuns(keptBytes()) },
    unedited: () => (changed ? unedited() : { program, compilations }),
    notes: [...folder.notes, ...words.notes, ...notes],
    loadSeconds: (performance.now() - start) / 1000,
    summary: () => (summary ??= summaryOf(program, folder)),
    dispose: async () => {
      await compilations.dispose();
      await base.dispose();
      await backend.dispose();
      await weights.close();
    },
  };
};

/** A model's files: a folder in Hugging Face layout, or one GGUF file. */
const openModelFiles = (path: string): Promise<ModelFolder> =>
  /\.gguf$/i.test(path) ? openGguf(path) : openFolder(path);

/**
 * Opens a model folder, a GGUF file, or a model of the zoo by name. Weights are looked at, not read.
 * @throws ModelError MODEL_NOT_FOUND, FAMILY_UNKNOWN, CONFIG_*, TENSOR_*, SAFETENSORS_INVALID, GGUF_INVALID, PICKLE_REFUSED
 * @throws EngineError DEVICE_UNAVAILABLE
 */
export const openModel = async (path: string, options: OpenOptions): Promise<OpenModel> => {
  const start = performance.now();
  const folder = await openModelFiles(await locateModel(path));
  try {
    return await openFrom(folder, options, start);
  } catch (error) {
    await folder.weights.close();
    throw error;
  }
};

/** The tokenizer, or an error that says how to go without. */
export const needTokenizer = (model: OpenModel): Tokenizer => {
  if (model.tokenizer) return model.tokenizer;
  if (model.tokenizerError) throw model.tokenizerError;
  throw new UsageError('this model has no tokenizer', {
    code: 'TOKENIZER_MISSING',
    hint: 'Put its vocabulary, such as tokenizer.json, beside config.json, or give token ids with --ids 1,2,3.',
  });
};
