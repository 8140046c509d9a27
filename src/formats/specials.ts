import type { JsonObject } from '../base/index.js';

const idsOf = (value: JsonObject[string]): readonly number[] => {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0);
};

/**
 * The ids that end a generation: `eos_token_id` of generation_config.json, a number or a list, else of config.json.
 * Empty where neither names one.
 */
export const eosIds = (config: JsonObject, generationConfig: JsonObject = {}): readonly number[] => {
  const own = idsOf(generationConfig['eos_token_id']);
  return own.length > 0 ? own : idsOf(config['eos_token_id']);
};
