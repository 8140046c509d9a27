import { gradients, placedSites, prepareExperiment, type Gradients, type Prompt } from '../../src/engine/index.js';
import { parseEdits, parseExpression } from '../../src/language/index.js';
import { contextFor } from '../../src/service/experiment.js';
import { openModel, type OpenModel, type OpenOptions } from '../../src/service/index.js';
import { promptOfIds, tokensOfText } from '../../src/service/prompts.js';
import { promptOf, readGolden, type GoldenPrompt } from './golden.js';

/** What is asked of a model in a test of gradients. */
export interface AskedGradients {
  readonly expression: string;
  readonly edits?: readonly string[];
  readonly sites?: readonly string[];
  readonly weights?: readonly string[];
  readonly capture?: readonly string[];
  readonly keep?: 'values' | 'layers';
}

/** Ids, or those of both halves, as a prompt. */
export const gradientPrompt = (model: OpenModel, given: GoldenPrompt): Prompt => {
  const { ids, source } = promptOf(given);
  const [own = []] = ids;
  return source?.[0] ? promptOfIds(model, source[0], own.slice(1)) : promptOfIds(model, own);
};

export const openGolden = async (variant: string, options: Partial<OpenOptions> = {}): Promise<OpenModel> => {
  const { folder, tensors } = await readGolden(variant);
  await tensors.close();
  return openModel(folder, { device: 'cpu', engine: 'onnxruntime', ...options });
};

/** Gradients of a prompt under edits. */
export const gradientsOf = async (
  model: OpenModel,
  prompt: Prompt,
  { expression, edits = [], sites = [], ...rest }: AskedGradients,
): Promise<Gradients> => {
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), parseEdits(edits.join('\n')));
  const encode = (text: string) => tokensOfText(model, text);
  return gradients(model, { variant, prompt, expression: parseExpression(expression), sites, encode, ...rest });
};

/** All sites of a model in the order of a run, those made on request too. */
export const everySite = async (model: OpenModel, prompt: Prompt): Promise<readonly string[]> => {
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), []);
  return placedSites(variant.order).map((p) => p.name);
};
