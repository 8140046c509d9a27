import type { JsonObject } from '../../base/index.js';
import type { TokenRole } from '../tokenizer.js';

/** A token found in a text, in UTF-16 units. */
export interface PlacedId {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** A vocabulary of other files as a tokenizer.json. */
export interface ConvertedTokenizer {
  readonly json: JsonObject;
  /** Ids of tokens with a role, or their spellings. */
  readonly roles: ReadonlyMap<TokenRole, number | string>;
  /** How texts are cut, where a tokenizer.json cannot say it; `json` is then the vocabulary and the way back to text. */
  readonly encode?: (text: string, special: boolean) => readonly PlacedId[];
}
