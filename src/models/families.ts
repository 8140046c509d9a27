import { ModelError, type JsonObject } from '../base/index.js';
import type { Program } from '../graph/index.js';
import type { Family, HasTensor } from './family.js';
import { gpt2 } from './gpt2.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';

/** Every family, by the `model_type` of its configs. */
const families: ReadonlyMap<string, Family> = new Map([gpt2, llama, mistral, qwen2, qwen3].map((f) => [f.name, f]));

const unknown = (what: string): ModelError =>
  new ModelError(what, {
    code: 'FAMILY_UNKNOWN',
    hint: `This version computes ${[...families.values()].flatMap((f) => f.architectures).join(', ')}.`,
  });

/**
 * The family of a config.
 * @throws ModelError FAMILY_UNKNOWN where the model type or the architecture is not computed
 */
export const familyOf = (config: JsonObject): Family => {
  const type = config['model_type'];
  if (typeof type !== 'string') throw unknown('config.json has no model_type');
  const family = families.get(type);
  if (!family) throw unknown(`models of type ${JSON.stringify(type)} are not supported`);
  const listed = config['architectures'];
  const architectures: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const other = architectures.find((a) => !family.architectures.includes(String(a)));
  if (other !== undefined) throw unknown(`the architecture ${JSON.stringify(other)} is not supported`);
  return family;
};

/** The whole computation that a config describes. */
export const makeProgram = (config: JsonObject, has: HasTensor): Program => familyOf(config).build(config, has);
