/** Runs one thing at a time, the newest that was asked for: what was asked meanwhile and is older is never run. */
export interface Latest<Input> {
  ask(input: Input): void;
  /** Stops what runs, and forgets what waits. */
  cancel(): void;
}

export interface LatestOptions {
  /** Whether a newer input stops the work on the older. A slider waits; a long picture is stopped. */
  readonly supersede: 'wait' | 'stop';
  /** Begins only when nothing newer was asked for so long: for what is too dear to follow a slider. */
  readonly quietMs?: number;
  /** Told when work begins and when nothing is left to do. */
  readonly busy?: (isBusy: boolean) => void;
}

/** `work` handles its own errors; one that is thrown goes to `failed`. */
export const makeLatest = <Input>(
  work: (input: Input, signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
  { supersede, quietMs, busy = () => undefined }: LatestOptions,
): Latest<Input> => {
  let running: AbortController | undefined;
  let waiting: { readonly input: Input } | undefined;
  const run = async (): Promise<void> => {
    busy(true);
    for (let next = waiting; next; next = waiting) {
      waiting = undefined;
      const controller = new AbortController();
      running = controller;
      try {
        await work(next.input, controller.signal);
      } catch (error) {
        if (!controller.signal.aborted) failed(error);
      }
    }
    running = undefined;
    busy(false);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = (input: Input): void => {
    waiting = { input };
    if (!running) void run();
    else if (supersede === 'stop') running.abort();
  };
  return {
    ask: (input) => {
      if (supersede === 'stop') running?.abort();
      clearTimeout(timer);
      if (quietMs === undefined) begin(input);
      else timer = setTimeout(() => begin(input), quietMs);
    },
    cancel: () => {
      clearTimeout(timer);
      waiting = undefined;
      running?.abort();
    },
  };
};
