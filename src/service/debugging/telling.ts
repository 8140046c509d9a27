import type { MoveOptions } from '../../debugger/index.js';
import type { Tokenizer } from '../../formats/index.node.js';
import type { Variant } from '../../engine/index.js';
import type { ProgressPart, TargetTold, TokenView } from '../../protocol/index.js';
import { passProgress } from '../prepare.js';
import type { Debuggee } from './debuggee.js';

/** Called between the layers that a run passes; a target sets what happens there. */
export interface Breath {
  /** Lets the process see signals and messages now and then. */
  readonly turn: (name: string) => Promise<void>;
  between: (name: string) => void;
}

/** Makes a breath whose `turn` yields to timers, and so to messages, about every 25 ms. */
export const makeBreath = (): Breath => {
  let last = performance.now();
  const breath: Breath = {
    between: () => undefined,
    turn: async (name) => {
      if (performance.now() - last > 25) {
        await new Promise((resolve) => setTimeout(resolve));
        last = performance.now();
      }
      breath.between(name);
    },
  };
  return breath;
};

/** To call before each layer of a run of several passes: tells how far each of the long ones is. */
export const runProgress = (variant: () => Variant, tell: (part: ProgressPart) => void): ((name: string) => void) => {
  let pass: ((name: string) => void) | undefined;
  return (name) => {
    if (!pass || variant().order[0]?.name === name) pass = passProgress(variant(), tell);
    pass(name);
  };
};

/** Tells of log points and new tokens while a run moves, and pauses it where that is asked for. */
export class Telling {
  #tell: (told: TargetTold) => void = () => undefined;
  #said: readonly number[] = [];
  #words: ReturnType<Tokenizer['stream']> | undefined;

  constructor(
    readonly breath: Breath,
    readonly debuggee: () => Debuggee,
  ) {}

  tell(told: TargetTold): void {
    this.#tell(told);
  }

  /** Does work that moves the run. */
  async during<T>({ signal, poll, onTold, onProgress }: MoveOptions, work: () => Promise<T>): Promise<T> {
    this.#tell = onTold ?? (() => undefined);
    const progress = onProgress && runProgress(() => this.debuggee().variant, onProgress);
    this.breath.between = (name) => {
      this.#tokens();
      progress?.(name);
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
    const tokens = debuggee.tokens.slice(-(made.length - different));
    const text = this.#text(tokens, different < this.#said.length ? made.slice(0, different) : undefined);
    this.#said = made;
    this.#tell({ told: 'tokens', from: different, tokens, text });
  }

  /** What tokens add to the text; `after`: those before them, where they are not what was said. */
  #text(tokens: readonly TokenView[], after: readonly number[] | undefined): string {
    const { model, request } = this.debuggee();
    if (!model.tokenizer) return tokens.map((t) => t.text).join('');
    if (after) this.#words = undefined;
    this.#words ??= model.tokenizer.stream([...request.prompt.ids, ...(after ?? [])]);
    const words = this.#words;
    return tokens.map((t) => words.push(t.id)).join('');
  }
}
