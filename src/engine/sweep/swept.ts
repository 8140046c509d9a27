import type { FloatTensor } from '../../tensor/index.js';
import type { GradientsRequest } from '../gradient/index.js';
import type { Variant } from '../run/request.js';
import type { Change } from './change.js';

/** The tokens of one sequence, and of the encoder's where there is one. */
export interface SweepPrompt {
  readonly ids: readonly number[];
  readonly source?: { readonly ids: readonly number[] };
}

/** One run of a sweep: the base run with changes. */
export interface SweepVariant {
  readonly changes: readonly Change[];
}

/** Which scores of a run are read. */
export interface ScoresWanted {
  /** After these positions; a classifier has one row whatever stands here. */
  readonly positions: readonly number[];
  /** Of these tokens; left out: of all. */
  readonly tokens?: readonly number[] | undefined;
}

export interface SweepRequest extends ScoresWanted {
  readonly prompt: SweepPrompt;
  /** Sites that variants change, by their names in the run order. */
  readonly changes: Iterable<string>;
  /** Sites that are read of each run. */
  readonly observe?: Iterable<string>;
}

/** What is other about a run besides its prompt. */
export interface OtherRun {
  /** Left out: the edits that all runs have. */
  readonly variant?: Variant | undefined;
  /** Left out: the sweep's own. */
  readonly scores?: ScoresWanted | undefined;
}

/** What a run gave: scores after positions, and sites that were to be observed. */
export interface SweptRun {
  readonly logits: (position: number) => Float32Array | undefined;
  /** The score of a token, where only some are read. */
  readonly logit?: (position: number, id: number) => number | undefined;
  /** Whole values, as a pass by itself would have captured them. */
  readonly site: (name: string) => FloatTensor;
}

/** Rows of scores by position, of all tokens or of some, as a run tells them. */
export const scoresRead = (
  rows: ReadonlyMap<number, Float32Array>,
  tokens: readonly number[] | undefined,
): Pick<SweptRun, 'logits' | 'logit'> =>
  tokens
    ? { logits: () => undefined, logit: (position, id) => rows.get(position)?.[tokens.indexOf(id)] }
    : { logits: (position) => rows.get(position) };

/** Many runs of one prompt that each change a little, whatever makes them. */
export interface Swept {
  /** The base run's own values. */
  readonly baseRun: SweptRun;
  /** Another prompt: where values to patch in come from. */
  other(prompt: SweepPrompt, run?: OtherRun): Promise<SweptRun>;
  /** Runs variants; the order in which they end is not theirs. */
  run(
    variants: readonly SweepVariant[],
    onResult: (variant: number, run: SweptRun) => void | Promise<void>,
  ): Promise<void>;
}

/** Something else than our engine that runs sweeps and takes gradients. */
export interface Elsewhere {
  readonly sweep: (request: SweepRequest) => Promise<Swept>;
  /** Values of sites, and gradients by them. */
  readonly gradients: (
    request: Pick<GradientsRequest, 'expression' | 'prompt' | 'sites'>,
  ) => Promise<{ readonly sites: ReadonlyMap<string, FloatTensor>; readonly values: ReadonlyMap<string, FloatTensor> }>;
}
