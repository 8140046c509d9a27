import path from 'node:path';
import { EngineError, type DebuggerError } from '../base/index.js';
import type { Target } from '../debugger/index.js';
import type { AttachInput, DebugInput, PointSpec, ProgressPart, TargetTold } from '../protocol/index.js';
import type { Progress } from './progress.js';

/** How a run begins and ends. */
export interface Launch {
  readonly input: Omit<DebugInput, 'x'> | AttachInput;
  readonly stopOnEntry: boolean;
  readonly stopOnExit: boolean;
  readonly noDebug: boolean;
  readonly keeping: Keeping;
}

/** What is kept of the session on the disk, and what is gone on with. */
export interface Keeping {
  readonly isPrivate: boolean;
  /** The last session of the model, or that of a file. */
  readonly restore: boolean | string;
}

/** Who is told of what becomes of a target, while it is opened and later. */
export interface Listeners {
  /** Told when the process that the run is in is gone. */
  readonly onDeath: (error: DebuggerError) => void;
  /** Told what people should know. */
  readonly note: (text: string) => void;
  /** Told what moves tell while a session is brought back. */
  readonly onTold: (told: TargetTold) => void;
  /** Told of the breakpoints of a session that is brought back. */
  readonly onPoints: (points: readonly PointSpec[]) => void;
}

export interface OpenOptions extends Listeners {
  readonly keeping: Keeping;
  /** Aborting it gives up opening. */
  readonly signal: AbortSignal;
  /** Told how far opening is. */
  readonly onProgress: (part: ProgressPart) => void;
}

/** Opens what is debugged. */
export type OpenTarget = (input: Launch['input'], options: OpenOptions) => Promise<Target>;

/** Opens one target at a time: the client is shown that it is under way, and can give it up. */
export class Opener {
  #opening: AbortController | undefined;

  constructor(
    readonly target: OpenTarget,
    readonly progress: Progress,
  ) {}

  /**
   * @param requestId the request that asks for it, by which it can be cancelled
   * @throws as what opens targets; EngineError CANCELLED
   */
  async open({ input, keeping }: Launch, requestId: number, listeners: Listeners): Promise<Target> {
    const opening = new AbortController();
    this.#opening = opening;
    const { signal } = opening;
    const title = `Opening ${'port' in input ? `port ${input.port}` : path.basename(input.model)}`;
    const task = this.progress.begin({ title, requestId, cancel: () => opening.abort() });
    try {
      const target = await this.target(input, {
        ...{ ...listeners, keeping, signal },
        onProgress: (part) => task.tell(part),
      });
      if (!signal.aborted) return target;
      await target.dispose(); // it was given up, and came all the same
      throw new EngineError('cancelled', { code: 'CANCELLED', hint: 'Launch again when you like.' });
    } finally {
      task.end();
      this.#opening = undefined;
    }
  }

  giveUp(): void {
    this.#opening?.abort();
  }
}
