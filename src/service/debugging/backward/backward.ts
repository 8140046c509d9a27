import { EngineError, UsageError } from '../../../base/index.js';
import { Breakpoints, shownNumber, type MoveOptions, type TapeStop } from '../../../debugger/index.js';
import { checkDifferentiable, prepareExperiment, type Prompt } from '../../../engine/index.js';
import { gradientName, parseEdits, parseExpression, type Edit } from '../../../language/index.js';
import type { Motion, TargetFrame, TargetState, TargetStop } from '../../../protocol/index.js';
import { cancelled } from '../../cancel.js';
import { contextFor } from '../../experiment.js';
import { normOf, type GradientCatch } from '../../gradient-faults.js';
import { pointStop } from '../answers.js';
import type { Debuggee } from '../debuggee.js';
import { KeptGradients } from './gradients-kept.js';
import { WalkMoment } from './walk-moment.js';
import { BackwardWalk } from './walk.js';

/** The prompt and the tokens made so far, as one sequence. */
const sequenceOf = ({ session, tokens, request }: Debuggee): Prompt => ({
  ...{ ids: session.ids, tokens },
  ...(request.prompt.source ? { source: request.prompt.source } : {}),
});

const hasSteps = (edit: Edit): boolean => 'steps' in edit;

/** What one should know of a way back over a sequence of which a part was generated. */
const notesOf = ({ edits, session }: Debuggee): readonly string[] => {
  if (session.position.step === 0 || !edits.some(hasSteps)) return [];
  return ['the way back is of one pass over all tokens: changes of later steps alone are not in it'];
};

const stopOf = (stop: TapeStop): TargetStop => {
  switch (stop.reason) {
    case 'breakpoint':
    case 'data':
      return pointStop(stop);
    case 'end':
      return { reason: 'goto', description: 'the way back is over: the run stands where it stood' };
    default:
      return stop;
  }
};

interface Walking {
  readonly text: string;
  readonly walk: BackwardWalk;
}

/** What lets the process see signals between layers. */
export type Turn = (name: string) => Promise<void>;

/**
 * The ways back of a run under the debugger, one at a time. A way back is a detour: at its end, or where it is left, the
 * run stands where it stood, and nothing of it has changed.
 */
export class Backward {
  readonly moment: WalkMoment;
  breakpoints = new Breakpoints();
  catches: readonly GradientCatch[] = [];
  #walking: Walking | undefined;

  /** @param turn called before each layer of its passes */
  constructor(
    readonly debuggee: () => Debuggee,
    readonly turn: Turn,
  ) {
    this.moment = new WalkMoment(debuggee, () => this.#walking?.walk);
  }

  get walk(): BackwardWalk | undefined {
    return this.#walking?.walk;
  }

  /**
   * Computes the gradients of a number, and stands at the beginning of its way back.
   * @throws UsageError EXPRESSION_*, GRADIENT_UNDEFINED, MEMORY_LIMIT; EngineError CANCELLED
   */
  async begin(text: string, { signal, onTold }: MoveOptions): Promise<TargetStop> {
    const walk = await this.#gone(text, signal).catch((error: unknown) => {
      if (error instanceof EngineError && error.info.code === 'CANCELLED') return undefined;
      throw error;
    });
    if (!walk) return { reason: 'pause', description: 'the way back was not taken' };
    for (const note of notesOf(this.debuggee())) onTold?.({ told: 'log', text: `note: ${note}`, point: 0 });
    this.#walking = { text, walk };
    return stopOf(await walk.begin());
  }

  /** Along the way back. */
  async move(motion: Exclude<Motion, { kind: 'backward' }>, { signal, poll }: MoveOptions): Promise<TargetStop> {
    const { walk } = this;
    walk?.tape.pausedBy(() => {
      poll?.();
      return signal?.aborted === true;
    });
    const stop = walk ? stopOf(await walk.move(motion)) : { reason: 'goto' as const };
    if (walk?.tape.isAtEnd === true) this.#walking = undefined;
    return stop;
  }

  /** @returns whether it was on one */
  leave(): boolean {
    const wasWalking = this.#walking !== undefined;
    this.#walking = undefined;
    return wasWalking;
  }

  /** What one should know of changes, lines of the edit language, that were just made. */
  notesOn(text: string): readonly string[] {
    const isOfGradients = parseEdits(text).some(({ edit }) => edit === 'scale grad' || edit === 'set grad');
    return isOfGradients && !this.walk ? ['gradients are changed on a way back: `backward EXPRESSION` begins one'] : [];
  }

  /**
   * The run has other changes: the same way back with them, at the same place. @returns notes, where there is none any
   * more and it is left
   */
  async again(): Promise<readonly string[]> {
    const before = this.#walking;
    if (!before) return [];
    this.#walking = undefined;
    try {
      const walk = await this.#gone(before.text);
      walk.goToSite(before.walk.site);
      this.#walking = { text: before.text, walk };
      return [];
    } catch (error) {
      if (error instanceof UsageError) return [`the way back is left: ${error.message}`];
      throw error;
    }
  }

  /** The run begins anew. */
  restart(): void {
    this.#walking = undefined;
    this.breakpoints = new Breakpoints();
  }

  /** Where the way back stands, in place of where the run stands; undefined while there is none. */
  get state(): (Pick<TargetState, 'backward' | 'position' | 'place' | 'frames'> & Partial<TargetState>) | undefined {
    if (!this.#walking) return undefined;
    const { text, walk } = this.#walking;
    const { here, position } = walk.tape;
    const { value, kept } = walk.gradients;
    const gradient = kept.get(walk.site);
    const at = { ...position, backward: true as const };
    return {
      position: at,
      place: here?.place,
      ...(here?.layer === undefined ? {} : { layer: here.layer }),
      ...(here ? { line: here.line } : {}),
      frames: this.#frames(walk, text),
      backward: {
        ...{ of: text, value: Number.isFinite(value) ? value : null, site: walk.site },
        norm: gradient ? shownNumber(normOf(gradient)) : '',
        from: this.debuggee().position,
      },
    };
  }

  #frames({ tape, site, gradients }: BackwardWalk, text: string): TargetFrame[] {
    const { here, stations } = tape;
    if (!here) return [];
    const at = (position: TargetFrame['begins']): TargetFrame['begins'] => ({ ...position, backward: true });
    const first = stations.find((s) => s.place === here.place) ?? here;
    const begins = at(first.position);
    const { length } = this.debuggee().tokens;
    const module: TargetFrame = { kind: 'module', name: here.module, line: here.line, begins: at(here.position) };
    return [
      { kind: 'op', name: gradientName(site), line: here.line, begins: at(here.position) },
      ...(here.module === '' ? [] : [module]),
      { kind: 'layer', name: `backward of ${here.place}`, line: here.line, begins },
      {
        kind: 'step',
        name: `backward of ${text} = ${shownNumber(gradients.value)}`,
        line: Math.max(1, length),
        begins: at((stations[0] ?? here).position),
      },
    ];
  }

  async #gone(text: string, signal?: AbortSignal): Promise<BackwardWalk> {
    const debuggee = this.debuggee();
    const { model, edits, session } = debuggee;
    const expression = parseExpression(text);
    checkDifferentiable(expression);
    const prompt = sequenceOf(debuggee);
    const { variant } = await prepareExperiment(contextFor(model, prompt, 0), edits);
    const onSegment = async (name: string): Promise<void> => {
      await this.turn(name);
      if (signal?.aborted) throw cancelled();
    };
    const gradients = await KeptGradients.of({ model, variant, prompt, expression, onSegment });
    return BackwardWalk.of({
      ...{ gradients, source: session.source, step: session.position.step },
      ...{ breakpoints: this.breakpoints, catches: () => this.catches },
    });
  }
}
