/** Runs one thing at a time, the newest that was asked for: what was asked meanwhile and is older is never run. */
export interface Latest<Input> {
  readonly ask: (input: Input) => void;
  /** Stops what runs, and forgets what waits. */
  readonly cancel: () => void;
}

export interface LatestOptions {
  /** Whether a newer input stops the work on the older. A slider waits; a long picture is stopped. */
  readonly supersede: 'wait' | 'stop';
  /** Begins only when nothing newer was asked for so long: for what is too dear to follow a slider. */
  readonly quietMs?: number | (() => number);
  /** Told when work begins and when nothing is left to do. */
  readonly busy?: (isBusy: boolean) => void;
}

/** One thing at a time, then the newest of what was asked meanwhile. */
class Turns<Input> {
  running: AbortController | undefined;
  waiting: { readonly input: Input } | undefined;

  constructor(
    readonly work: (input: Input, signal: AbortSignal) => Promise<void>,
    readonly failed: (error: unknown) => void,
    readonly busy: (isBusy: boolean) => void,
  ) {}

  async run(): Promise<void> {
    this.busy(true);
    for (let next = this.waiting; next; next = this.waiting) {
      this.waiting = undefined;
      const controller = new AbortController();
      this.running = controller;
      try {
        await this.work(next.input, controller.signal);
      } catch (error) {
        if (!controller.signal.aborted) this.failed(error);
      }
    }
    this.running = undefined;
    this.busy(false);
  }
}

/** `failed` is told what `work` throws, unless it was stopped. */
export const makeLatest = <Input>(
  work: (input: Input, signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
  { supersede, quietMs, busy = () => undefined }: LatestOptions,
): Latest<Input> => {
  const turns = new Turns(work, failed, busy);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = (input: Input): void => {
    turns.waiting = { input };
    if (!turns.running) void turns.run();
  };
  return {
    ask: (input) => {
      if (supersede === 'stop') turns.running?.abort();
      clearTimeout(timer);
      const wait = typeof quietMs === 'function' ? quietMs() : (quietMs ?? 0);
      if (wait === 0) begin(input);
      else timer = setTimeout(() => begin(input), wait);
    },
    cancel: () => {
      clearTimeout(timer);
      turns.waiting = undefined;
      turns.running?.abort();
    },
  };
};
