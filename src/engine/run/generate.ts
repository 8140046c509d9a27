import { sample, type Sampled, type SamplingOptions } from '../sampling/index.js';
import { KvCache } from './cache.js';
import type { Compilations } from './compiled.js';
import { forward } from './forward.js';
import type { ForwardResult, Variant } from './request.js';
import type { Program } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';

export interface GenerateRequest {
  readonly variant: Variant;
  /** The prompt's token ids. */
  readonly ids: readonly number[];
  /** The encoder's text, for an encoder-decoder; `ids` are then what its decoder begins with. */
  readonly source?: readonly number[];
  readonly maxNewTokens: number;
  readonly sampling: SamplingOptions;
  /** Generation ends after one of these. */
  readonly eos: ReadonlySet<number>;
  /** Tokens that are taken whatever the model says, by step: 0 is the first new token. */
  readonly forced?: ReadonlyMap<number, number>;
  /** Tokens that may not be taken in a step. */
  readonly suppressed?: (step: number) => ReadonlySet<number> | undefined;
  /** Sites to capture in the prefill, and with `captureEach` in every step. */
  readonly capture?: ReadonlySet<string>;
  readonly captureEach?: boolean;
  /** Compute everything again at each step instead of keeping keys and values; for comparison. */
  readonly withoutCache?: boolean;
  /** The sampling settings of a step, where they change on the way. */
  readonly samplingAt?: (step: number) => SamplingOptions;
  /** Told of each token before the next pass, so that edits can name tokens by their text. */
  readonly onToken?: (id: number) => void | Promise<void>;
  readonly onSegment?: (name: string) => void | Promise<void>;
}

/** One step of a run. Step 0 is the prefill; its token is the first new one. */
export interface Step {
  readonly step: number;
  /** Scores of the next token, before sampling [vocab]. */
  readonly logits: Float32Array;
  /** The token taken; undefined where none was asked for. */
  readonly taken: Sampled | undefined;
  readonly sites: ForwardResult['sites'];
}

export type Ending = 'none' | 'eos' | 'length' | 'context';

const lastRow = (logits: Tensor<'float32'> | undefined): Float32Array => logits?.data ?? new Float32Array(0);

/** The forced token, or one sampled. */
const take = (logits: Float32Array, ids: readonly number[], request: GenerateRequest & { step: number }): Sampled => {
  const forced = request.forced?.get(request.step);
  const sampling = request.samplingAt?.(request.step) ?? request.sampling;
  const suppressed = request.suppressed?.(request.step);
  const place = { previousIds: ids, step: request.step, ...(suppressed ? { suppressed } : {}) };
  const sampled = sample(logits, sampling, place);
  return forced === undefined ? sampled : { ...sampled, id: forced };
};

/** Do rotary tables change between these lengths, so that the keys of earlier tokens must be made anew? */
const turnsAnew = ({ inputs }: Program, before: number, after: number): boolean =>
  Object.values(inputs).some((rule) => {
    if (rule.rule !== 'rope' || rule.rope.scaling.kind !== 'longrope') return false;
    return before <= rule.rope.scaling.originalLength && after > rule.rope.scaling.originalLength;
  });

/**
 * Runs the model on a prompt and makes tokens, a step at a time. The caller may stop between steps.
 * @returns why it ended
 * @throws EngineError ENGINE_FAILED
 */
export async function* generate(
  model: { readonly program: Program; readonly compilations: Compilations },
  request: GenerateRequest,
): AsyncGenerator<Step, Ending> {
  const ids = [...request.ids];
  let cache = request.withoutCache === true ? undefined : new KvCache();
  const longest = model.program.facts.maxPositions ?? Infinity;
  let fresh: readonly number[] = ids;
  for (let step = 0; ; step++) {
    if (cache && cache.length > 0 && turnsAnew(model.program, cache.length, ids.length)) {
      cache = new KvCache(cache.encoded);
      fresh = [...ids];
    }
    const { logits, sites } = await forward(model, {
      variant: request.variant,
      ids: [cache ? fresh : ids],
      ...(request.source ? { source: [request.source] } : {}),
      step,
      capture: step === 0 || request.captureEach ? (request.capture ?? new Set()) : new Set(),
      ...(cache && request.maxNewTokens > 0 ? { cache } : {}),
      ...(request.onSegment ? { onSegment: request.onSegment } : {}),
    });
    const row = lastRow(logits);
    const wanted = step < request.maxNewTokens;
    const taken = wanted ? take(row, ids, { ...request, step }) : undefined;
    yield { step, logits: row, taken, sites };
    if (!taken) return request.maxNewTokens === 0 ? 'none' : 'length';
    ids.push(taken.id);
    fresh = [taken.id];
    await request.onToken?.(taken.id);
    if (request.eos.has(taken.id)) return 'eos';
    if (step + 1 >= request.maxNewTokens) return 'length';
    if (ids.length > longest) return 'context';
  }
}
