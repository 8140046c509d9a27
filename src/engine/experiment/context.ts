import type { Weights } from '../../formats/index.js';
import type { Program } from '../../graph/index.js';
import type { FileTensor, Token } from '../../language/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Compilations } from '../run/compiled.js';
import type { Sequence } from './value-edits.js';

/** A prompt as the model gets it. */
export interface Prompt {
  readonly ids: readonly number[];
  readonly tokens: readonly { readonly text: string }[];
  /** What the encoder reads, of an encoder-decoder; `ids` are what its decoder begins with. */
  readonly source?: Pick<Prompt, 'ids' | 'tokens'>;
}

/** What selectors are resolved against in a prompt alone. */
export const sequenceOf = ({ ids, tokens, source }: Prompt): Sequence => ({
  ...{ tokens, length: ids.length },
  ...(source ? { source: source.tokens } : {}),
});

/** What is needed to turn edits into what the engine runs. Reading files and tokenizing is the caller's. */
export interface ExperimentContext {
  readonly program: Program;
  readonly weights: Weights;
  readonly compilations: Compilations;
  /** The model without any edit, of the config neither: where values of other runs come from. */
  unedited(): { readonly program: Program; readonly compilations: Compilations };
  readonly prompt: Prompt;
  readonly sequence: Sequence;
  /** @throws UsageError TOKENIZER_MISSING */
  encode(text: string): Promise<Prompt>;
  /** The id of a token given by text or id. @throws UsageError AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE */
  tokenId(token: Token): Promise<number>;
  readVector(from: FileTensor): Promise<Tensor<'float32'>>;
  readPrompts(file: string): Promise<readonly Prompt[]>;
}
