import type {
  ChangeResult,
  MoveResult,
  Motion,
  PointsInput,
  PointsResult,
  ProgressPart,
  TargetAbout,
  TargetChange,
  TargetState,
  TargetTold,
  ViewAnswerOf,
  ViewAsk,
  ViewAskOf,
} from '../protocol/index.js';

/** What goes with a move. */
export interface MoveOptions {
  /** Aborting it pauses the run: it then stands where it came to. */
  readonly signal?: AbortSignal;
  /** Looks, between layers, whether another thread asked for a pause; `signal` is then aborted when it returns. */
  readonly poll?: () => void;
  /** What is told while the run goes on. */
  readonly onTold?: (told: TargetTold) => void;
  /** How far a pass is that takes its time, as the first one does, which makes the weights ready. */
  readonly onProgress?: (part: ProgressPart) => void;
}

/** The answer to a look; `bytes` where it was asked for them. */
export type Looked<K extends ViewAsk['ask']> = ViewAnswerOf<K> & { readonly bytes?: Uint8Array };

/**
 * Where a run happens: our engine, a host's process, a recording, a live program. All of a debugger's faces are written
 * against this, and against nothing behind it. No tensor crosses it: values are named, and looked at in parts.
 */
export interface Target {
  readonly about: TargetAbout;
  /** Where the run stands, as it was told last. */
  readonly state: TargetState;
  /**
   * Moves the run until it stands again.
   * @throws UsageError COMMAND_INVALID for what this target cannot do; EngineError HOST_DIED
   */
  resume(motion: Motion, options?: MoveOptions): Promise<MoveResult>;
  /** Breakpoints and exceptions; also while the run goes on. */
  points(input: PointsInput): Promise<PointsResult>;
  /** Looks at where the run stands. @throws UsageError SITE_*, EXPRESSION_*, SELECTOR_*, COMMAND_INVALID */
  view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>>;
  /** Changes the run from where it stands. @throws UsageError EDIT_*, COMMAND_INVALID */
  apply(change: TargetChange): Promise<ChangeResult>;
  dispose(): Promise<void>;
}
