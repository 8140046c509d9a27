import { ModelError, type JsonObject } from '../base/index.js';
import type { Program } from '../graph/index.js';
import { bart } from './families/bart.js';
import { bert } from './families/bert.js';
import { distilbert } from './families/distilbert.js';
import type { Family, HasTensor } from './family.js';
import { gemma } from './families/gemma.js';
import { gemma2 } from './families/gemma2.js';
import { gemma3 } from './families/gemma3.js';
import { gptNeo } from './families/gpt-neo.js';
import { gptNeox } from './families/gpt-neox.js';
import { gpt2 } from './families/gpt2.js';
import { llama } from './families/llama.js';
import { marian } from './families/marian.js';
import { mbart } from './families/mbart.js';
import { mistral } from './families/mistral.js';
import { mixtral } from './families/mixtral.js';
import { olmo2 } from './families/olmo2.js';
import { opt } from './families/opt.js';
import { phi } from './families/phi.js';
import { phi3 } from './families/phi3.js';
import { qwen2 } from './families/qwen2.js';
import { qwen3Moe } from './families/qwen3-moe.js';
import { qwen3 } from './families/qwen3.js';
import { camembert, roberta, xlmRoberta } from './families/roberta.js';
import { smollm3 } from './families/smollm3.js';
import { mt5, t5, umt5 } from './families/t5.js';

/** Every family, in the order of the alphabet. */
export const families: readonly Family[] = [
  bart,
  bert,
  camembert,
  distilbert,
  gemma,
  gemma2,
  gemma3,
  gpt2,
  gptNeo,
  gptNeox,
  llama,
  marian,
  mbart,
  mistral,
  mixtral,
  mt5,
  olmo2,
  opt,
  phi,
  phi3,
  qwen2,
  qwen3,
  qwen3Moe,
  roberta,
  smollm3,
  t5,
  umt5,
  xlmRoberta,
];

/** By the `model_type` of their configs. */
const byType: ReadonlyMap<string, Family> = new Map(families.map((f) => [f.name, f]));

const unknown = (what: string): ModelError =>
  new ModelError(what, {
    code: 'FAMILY_UNKNOWN',
    hint: `This version computes ${families.flatMap((f) => f.architectures).join(', ')}.`,
  });

/**
 * The family of a config.
 * @throws ModelError FAMILY_UNKNOWN where the model type or the architecture is not computed
 */
export const familyOf = (config: JsonObject): Family => {
  const type = config['model_type'];
  if (typeof type !== 'string') throw unknown('config.json has no model_type');
  const family = byType.get(type);
  if (!family) throw unknown(`models of type ${JSON.stringify(type)} are not supported`);
  const listed = config['architectures'];
  const architectures: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const other = architectures.find((a) => !family.architectures.includes(String(a)));
  if (other !== undefined) throw unknown(`the architecture ${JSON.stringify(other)} is not supported`);
  return family;
};

/** The whole computation that a config describes. */
export const makeProgram = (config: JsonObject, has: HasTensor): Program => familyOf(config).build(config, has);
