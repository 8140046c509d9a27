import type { MoveOptions } from '../../debugger/index.js';
import type { TargetTold } from '../../protocol/index.js';
import type { Debuggee } from './debuggee.js';

/** Called between the layers that a run passes; a target sets what happens there. */
export interface Breath {
  /** Lets the process see signals and messages now and then. */
  readonly turn: () => Promise<void>;
  between: () => void;
}

/** Makes a breath whose `turn` yields to timers, and so to messages, about every 25 ms. */
export const makeBreath = (): Breath => {
  let last = performance.now();
  const breath: Breath = {
    between: () => undefined,
    turn: async () => {
      if (performance.now() - last > 25) {
        await new Promise((resolve) => setTimeout(resolve));
        last = performance.now();
      }
      breath.between();
    },
  };
  return breath;
};

/** Tells of log points and new tokens while a run moves, and pauses it where that is asked for. */
export class Telling {
  #tell: (told: TargetTold) => void = () => undefined;
  #said: readonly number[] = [];

  constructor(
    readonly breath: Breath,
    readonly debuggee: () => Debuggee,
  ) {}

  tell(told: TargetTold): void {
    this.#tell(told);
  }

  /** Does work that moves the run. */
  async during<T>({ signal, poll, onTold }: MoveOptions, work: () => Promise<T>): Promise<T> {
    this.#tell = onTold ?? (() => undefined);
    this.breath.between = () => {
      this.#tokens();
      poll?.();
      if (signal?.aborted) this.debuggee().session.pause();
    };
    try {
      return await work();
    } finally {
      this.#tokens();
      this.breath.between = () => undefined;
      this.#tell = () => undefined;
    }
  }

  /** Tokens are told of once, as they are made; where the run went another way, of the new ones. */
  #tokens(): void {
    const debuggee = this.debuggee();
    const made = debuggee.session.ids.slice(debuggee.request.prompt.ids.length);
    const different = made.findIndex((id, i) => this.#said[i] !== id);
    if (different < 0) return;
    this.#said = made;
    this.#tell({ told: 'tokens', from: different, tokens: debuggee.tokens.slice(-(made.length - different)) });
  }
}
