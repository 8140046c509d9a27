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

/** A site's value in the prefill of a recorded run. */
export interface RecordedValue {
  /** The part that is there. */
  readonly tensor: Tensor<'float32'>;
  /** Extents of the whole value. */
  readonly shape: readonly number[];
  /** Along an axis of which not all was recorded: the indices that were. */
  readonly indices: Readonly<Record<string, readonly number[]>>;
  /** The run's tokens; without texts where the recording is redacted. */
  readonly sequence: Sequence;
}

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
  /**
   * A value from a recording.
   * @param names of the site, the likeliest first
   * @throws UsageError SITE_NOT_CAPTURED
   */
  readRecorded(file: string, names: readonly string[]): Promise<RecordedValue>;
}
