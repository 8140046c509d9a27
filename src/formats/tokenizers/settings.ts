import type { Json, JsonObject } from '../../base/index.js';

/** What lies beside a vocabulary; a file that is missing is an empty object. */
export interface Settings {
  /** tokenizer_config.json. */
  readonly config: JsonObject;
  /** special_tokens_map.json. */
  readonly specialTokensMap: JsonObject;
  /** added_tokens.json: spelling to id. */
  readonly addedTokens: JsonObject;
  /** config.json of the model. */
  readonly model: JsonObject;
}

export const noSettings: Settings = { config: {}, specialTokensMap: {}, addedTokens: {}, model: {} };

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

/** A switch of tokenizer_config.json; `otherwise` where it is not told. */
export const flag = ({ config }: Settings, name: string, otherwise: boolean): boolean =>
  typeof config[name] === 'boolean' ? config[name] : otherwise;

/** Classes that are made for a tokenizer.json and tell nothing of the kind. */
const anyClass: ReadonlySet<string> = new Set(['PreTrainedTokenizer', 'TokenizersBackend']);

/** The name of the tokenizer's class without `Fast`, such as `GPT2Tokenizer`. */
export const tokenizerClass = ({ config, model }: Settings): string | undefined => {
  const name = (textOf(config['tokenizer_class']) ?? textOf(model['tokenizer_class']))?.replace(/Fast$/, '');
  return name === undefined || anyClass.has(name) ? undefined : name;
};

/** `model_type` of config.json, such as `gpt2`. */
export const modelType = ({ model }: Settings): string | undefined => textOf(model['model_type']);
