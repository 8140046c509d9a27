import { UsageError, type JsonObject } from '../base/index.js';
import type { ExperimentContext, Prompt, RecordedValue, SamplingOptions } from '../engine/index.js';
import { openWeights, type Weights } from '../formats/index.node.js';
import {
  parseEdits,
  parseExperiment,
  type Edit,
  type FileTensor,
  type SamplingKind,
  type Token,
} from '../language/index.js';
import { familyOf } from '../models/index.js';
import type { EditInput, TokenView } from '../protocol/index.js';
import { readTextFile } from './files.node.js';
import { locate } from './locate.js';
import { needTokenizer, type OpenModel } from './open-model.js';
import { promptOfText, promptsOfFile } from './prompts.js';
import { siteAt, withRecording } from './recording/open-recorded.js';

/** A file of edits: JSON where it begins with a brace, else text. */
const editsOfFile = async (file: string): Promise<readonly Edit[]> => {
  const content = await readTextFile(file);
  return locate(file === '-' ? 'standard input' : file, () =>
    content.trimStart().startsWith('{') ? parseExperiment(content).edits : parseEdits(content),
  );
};

/** An edit by itself; where there are several, an error says which. */
const editsOfText = (text: string, i: number, { length }: readonly unknown[]): readonly Edit[] =>
  length === 1 ? parseEdits(text) : locate(`edit ${i + 1} of ${length}`, () => parseEdits(text));

/** All edits of a request, in order. @throws UsageError EDIT_SYNTAX, EDIT_INVALID, FILE_UNREADABLE */
export const editsOf = async (input: EditInput): Promise<readonly Edit[]> => {
  const lists = [];
  for (const [i, given] of input.edits.entries())
    lists.push('text' in given ? editsOfText(given.text, i, input.edits) : await editsOfFile(given.file));
  return lists.flat();
};

/** Edits of the config, as fields that replace the file's. */
export const configOf = (edits: readonly Edit[], config: JsonObject): JsonObject => {
  const fields: Record<string, JsonObject[string]> = {};
  for (const edit of edits) {
    if (edit.edit === 'config') fields[edit.field] = edit.value;
    if (edit.edit === 'replace activation') fields[familyOf({ ...config, ...fields }).activationField] = edit.with;
  }
  return fields;
};

/** The prompt that the edits put in the place of the given one. */
export const promptEdit = (edits: readonly Edit[]): string | undefined =>
  edits.findLast((e) => e.edit === 'prompt')?.text;

const samplingField: Readonly<Record<SamplingKind, keyof SamplingOptions>> = {
  temperature: 'temperature',
  'top-k': 'topK',
  'top-p': 'topP',
  'min-p': 'minP',
  'repetition-penalty': 'repetitionPenalty',
  seed: 'seed',
};

/** Sampling as the options give it and the edits change it. */
export const samplingOf = (options: SamplingOptions, edits: readonly Edit[]): SamplingOptions => {
  const changed: Partial<Record<keyof SamplingOptions, number>> = {};
  for (const edit of edits) {
    const field = Object.hasOwn(samplingField, edit.edit) ? samplingField[edit.edit as SamplingKind] : undefined;
    if (field && 'value' in edit && typeof edit.value === 'number') changed[field] = edit.value;
  }
  return { ...options, ...changed };
};

/**
 * Refuses changes of gradients where none are computed.
 * @throws UsageError EDIT_INVALID
 */
export const refuseGradientEdits = (edits: readonly Edit[], { gradOf }: { readonly gradOf?: unknown } = {}): void => {
  const gradient = edits.find((e) => e.edit === 'scale grad' || e.edit === 'set grad');
  if (!gradient || gradOf !== undefined) return;
  throw new UsageError(`\`${gradient.edit}\` changes a gradient, and none is asked for`, {
    code: 'EDIT_INVALID',
    hint: 'Gradients are computed by `cutaway inspect MODEL ... --grad-of EXPRESSION`; elsewhere leave the edit out.',
  });
};

/**
 * The id of a token given by text or id.
 * @param code of the error where it is none
 * @throws UsageError EDIT_INVALID or OPTION_INVALID, ID_OUT_OF_RANGE, TOKENIZER_MISSING
 */
export const tokenId = (
  model: OpenModel,
  token: Token,
  code: 'EDIT_INVALID' | 'OPTION_INVALID' = 'EDIT_INVALID',
): number => {
  if (typeof token === 'number') {
    if (token < model.program.facts.vocab) return token;
    throw new UsageError(`token id ${token} is out of range`, {
      code: 'ID_OUT_OF_RANGE',
      hint: `This model's ids go from 0 to ${model.program.facts.vocab - 1}.`,
    });
  }
  const id = needTokenizer(model).idOf(token);
  if (id !== undefined) return id;
  throw new UsageError(`${JSON.stringify(token)} is not one token`, {
    code,
    hint: 'Most words begin with a space, as in " Rome"; `cutaway tokenize MODEL --text` shows how a text is cut.',
  });
};

/** Tokens that are taken whatever the model says, by step. */
export const forcedTokens = (model: OpenModel, edits: readonly Edit[]): ReadonlyMap<number, number> =>
  new Map(edits.flatMap((e) => (e.edit === 'force token' ? [[e.step, tokenId(model, e.token)] as const] : [])));

const readVector = async ({ file, name }: FileTensor) => {
  const weights: Weights = await openWeights(file);
  try {
    return await weights.read(name);
  } finally {
    await weights.close();
  }
};

/** A value of the prefill of a recorded run. */
const readRecorded = (file: string, names: readonly string[]): Promise<RecordedValue> =>
  withRecording(file, async (recording) => {
    const site = siteAt(recording, names, 0);
    const { prompt } = recording.manifest;
    const texts = (tokens: readonly TokenView[] | undefined, length: number) =>
      tokens ?? Array.from({ length }, () => ({ text: '' }));
    const source = prompt.sourceLength === undefined ? undefined : texts(prompt.tokens, prompt.sourceLength);
    const tokens = texts(source ? prompt.target : prompt.tokens, prompt.length);
    return {
      tensor: await recording.read(site),
      ...{ shape: site.whole ?? site.shape, indices: site.indices ?? {} },
      sequence: { tokens, length: prompt.length, ...(source ? { source } : {}) },
    };
  });

/** What the engine needs to carry out edits on a prompt. */
export const contextFor = (model: OpenModel, prompt: Prompt, maxNewTokens: number): ExperimentContext => ({
  program: model.program,
  weights: model.weights,
  compilations: model.compilations,
  unedited: () => model.unedited(),
  prompt,
  sequence: {
    ...{ tokens: prompt.tokens, length: prompt.ids.length + maxNewTokens },
    ...(prompt.source ? { source: prompt.source.tokens } : {}),
  },
  encode: (text) => promptOfText(model, text, prompt.source && { ids: prompt.ids.slice(1) }),
  tokenId: async (token) => tokenId(model, token),
  readVector,
  readPrompts: (file) => promptsOfFile(model, file),
  readRecorded,
});
