import { UsageError } from '../../base/index.js';
import type { Looked, MoveOptions, Stop, Target } from '../../debugger/index.js';
import { canonicalName, placedSites } from '../../engine/index.js';
import { formatEdit, parseExperiment } from '../../language/index.js';
import type {
  ChangeResult,
  MoveResult,
  Motion,
  PointsInput,
  PointsResult,
  TargetAbout,
  TargetChange,
  TargetState,
  TargetStop,
  ViewAnswerOf,
  ViewAsk,
  ViewAskOf,
} from '../../protocol/index.js';
import { Backward } from './backward/backward.js';
import { enginePointRun } from './backward/back-points.js';
import { walkAnswers } from './backward/walk-answers.js';
import { answerWith, bytesAnswer, paged, pointStop, repeated, type Answers } from './answers.js';
import { compareWithUnedited } from './comparing.js';
import type { Debuggee } from './debuggee.js';
import { completeIn, evaluateIn } from './evaluating.js';
import { resolveValue } from './engine-values.js';
import { framesOf } from './frames.js';
import { childItems, writtenIn } from './held-values.js';
import { sitesHere } from './layer-values.js';
import { lensHere } from './lens-here.js';
import type { OpenDebuggee } from './open-debuggee.js';
import { pictureOf } from './picture.js';
import { placesAhead, placesOf } from './places.js';
import { PointBook } from './points.js';
import { recordRun, RunRecorder } from './run-recorder.js';
import { scopeItems, scopesOf } from './scopes.js';
import { changeOf, siteOf } from './setting.js';
import { Telling } from './telling.js';

const stopOf = (stop: Stop): TargetStop => {
  switch (stop.reason) {
    case 'breakpoint':
    case 'data':
      return pointStop(stop);
    case 'exception':
      return { reason: stop.reason, filter: stop.filter.kind, description: stop.description };
    default:
      return { reason: stop.reason };
  }
};

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** Our engine as a target: everything can be looked at, changed, and gone back to. */
export class EngineTarget implements Target {
  readonly #book: PointBook;
  readonly #telling: Telling;
  readonly #backward: Backward;
  #recorder: RunRecorder | undefined;
  #debuggee: Debuggee;
  #revision = 0;

  private constructor(
    readonly opened: OpenDebuggee,
    readonly about: TargetAbout,
  ) {
    this.#debuggee = opened.debuggee;
    this.#backward = new Backward(() => this.#debuggee, opened.breath.turn);
    this.#telling = new Telling(opened.breath, () => this.#debuggee);
    this.#book = new PointBook(
      () => enginePointRun(this.#debuggee, this.#backward),
      (told) => this.#telling.tell(told),
    );
  }

  /** @param opened is closed with the target */
  static async of(opened: OpenDebuggee, name: string): Promise<EngineTarget> {
    const { debuggee, model } = opened;
    const { prompt, maxNewTokens } = debuggee.request;
    const source = prompt.source?.ids.map((id, i) => ({ id, text: prompt.source?.tokens[i]?.text ?? '' }));
    const target = new EngineTarget(opened, {
      ...{ kind: 'engine', name, model: await model.summary(), notes: [...model.notes, ...opened.notes] },
      can: { back: true, change: true, backward: true, units: ['op', 'module', 'layer', 'token'], limits: [] },
      listing: debuggee.session.source.lines.map(({ text, node }) => ({ text, stops: node !== undefined })),
      prompt: { length: prompt.ids.length, ...(source ? { source } : {}) },
      maxNewTokens,
    });
    target.#recorder = await RunRecorder.start(() => target.#debuggee, opened.input, opened.input);
    return target;
  }

  get state(): TargetState {
    const { session, tokens, edits } = this.#debuggee;
    const { instance, position } = session;
    const line = instance && session.source.opsOf(instance.segment.id)[position.op]?.line;
    return {
      ...{ revision: this.#revision, position },
      ...(instance ? { place: instance.name } : {}),
      ...(instance?.segment.layer === undefined ? {} : { layer: instance.segment.layer }),
      ...(line === undefined ? {} : { line }),
      ...{ frames: framesOf(this.#debuggee), tokens: [...tokens], edits: edits.map(formatEdit) },
      ...this.#backward.state,
    };
  }

  async resume(motion: Motion, options: MoveOptions = {}): Promise<MoveResult> {
    const stop = await this.#telling.during(options, () => this.#go(motion, options));
    await this.#recorder?.catchUp();
    this.#revision++;
    if (stop.reason === 'breakpoint' && stop.point !== undefined) this.#book.hit(stop.point);
    return { stop, state: this.state };
  }

  points(input: PointsInput): Promise<PointsResult> {
    return this.#book.change(input);
  }

  view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    const answers = this.#answers;
    const { walk, moment } = this.#backward;
    return answerWith(walk ? walkAnswers(this.#debuggee, moment, answers) : answers, ask);
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    const { done, notes = [] } = await this.#change(change);
    const left = change.change === 'record' ? [] : await this.#backward.again();
    this.#recorder?.forgetFrom(change.change === 'restart' ? 0 : this.#debuggee.session.position.step);
    this.#revision++;
    return { done, notes: [...notes, ...left], state: this.state };
  }

  /** A run that is recorded is saved before the model is closed. */
  async dispose(): Promise<void> {
    try {
      await this.#recorder?.finish();
    } finally {
      await this.opened.model.dispose();
    }
  }

  /** On a way back along it; going elsewhere leaves it. */
  async #go(motion: Motion, options: MoveOptions): Promise<TargetStop> {
    if (motion.kind === 'backward') return this.#goBack(motion.of, options);
    const isElsewhere = motion.kind === 'goto' && motion.position.backward !== true;
    if (this.#backward.walk && !isElsewhere) return this.#backward.move(motion, options);
    if (!isElsewhere && motion.kind === 'goto') throw offWay();
    this.#backward.leave();
    return stopOf(await this.#move(motion));
  }

  async #goBack(of: string | undefined, options: MoveOptions): Promise<TargetStop> {
    if (of !== undefined) return this.#backward.begin(of, options);
    if (this.#backward.leave()) return { reason: 'goto' };
    throw offWay();
  }

  async #move(motion: Exclude<Motion, { kind: 'backward' }>): Promise<Stop> {
    const { session } = this.#debuggee;
    switch (motion.kind) {
      case 'step': {
        const { by, back = false, times } = motion;
        const once = (): Promise<Stop> => (back ? session.stepBack(by) : session.stepForward(by));
        return repeated(once, times);
      }
      case 'out':
        return session.stepOut();
      case 'goto':
        return session.goTo(motion.position);
      case 'continue':
        if (motion.back) return session.reverseContinue();
        return (motion.here ? await session.here() : undefined) ?? session.continue();
    }
  }

  get #answers(): Answers {
    const debuggee = this.#debuggee;
    return {
      scopes: async (a) => ({ scopes: scopesOf(debuggee, a.frame) }),
      scope: async (a) => ({ items: paged(await scopeItems(debuggee, a.scope, a.frame), a) }),
      children: async (a) => ({
        items: childItems(a.ref, await resolveValue(debuggee, a.ref), a),
      }),
      evaluate: async (a) => evaluateIn(debuggee, a.expression),
      bytes: async (a) => bytesAnswer(await resolveValue(debuggee, a.ref), a),
      training: async () => {
        throw untrained();
      },
      picture: async (a) => pictureOf(await resolveValue(debuggee, a.ref), a),
      words: async (a) => ({ words: [...(await debuggee.words(a.count))] }),
      token: async (a) => debuggee.token(a.name),
      sites: async () => ({ sites: this.#sites() }),
      points: async () => ({ points: this.#book.list, caught: [...this.#book.caught] }),
      complete: async (a) => completeIn(debuggee, a.text, a.column),
      places: async (a) => ({ places: placesOf(debuggee, a.source, a.line) }),
      compare: async (a) => compareWithUnedited(debuggee, (edits) => this.opened.again(edits), a.tokens),
      lens: async (a) => lensHere(debuggee, a.tokens),
      ahead: async (a) => ({ places: placesAhead(debuggee, a.frame) }),
    };
  }

  #sites(): ViewAnswerOf<'sites'>['sites'] {
    const { session } = this.#debuggee;
    const here = new Set(sitesHere(session).map((s) => s.name));
    return placedSites(session.variant.order).map(({ name, type, site, instance }) => ({
      ...{ name, axes: [...type.axes] },
      here: instance.name === session.instance?.name && here.has(site.name),
    }));
  }

  async #change(change: TargetChange): Promise<{ readonly done: boolean; readonly notes?: readonly string[] }> {
    const debuggee = this.#debuggee;
    switch (change.change) {
      case 'edit':
        return { done: true, notes: [...(await debuggee.edit(change.text)), ...this.#backward.notesOn(change.text)] };
      case 'load':
        return { done: true, notes: await debuggee.load(parseExperiment(change.text).edits) };
      case 'set':
        return { done: true, notes: await this.#set(change.place, change.value) };
      case 'undo':
        return { done: await debuggee.undo() };
      case 'redo':
        return { done: await debuggee.redo() };
      case 'write':
        return { done: true, notes: await this.#write(change.ref, change.offset, change.bytes) };
      case 'record': {
        const { file, sites, redact = false } = change;
        await recordRun(debuggee, this.opened.input, { record: file, recordSites: sites, redact });
        return { done: true };
      }
      case 'rank':
      case 'ops':
      case 'trace':
        throw new UsageError(`${change.change} is for a live process`, {
          code: 'COMMAND_INVALID',
          hint: '`step` goes by operations; values are those of this run.',
        });
      case 'restart':
        return this.#restart();
    }
  }

  /** Numbers as bytes, each as a change of its own: of a site from this step's layer on, of a weight for good. */
  async #write(ref: string, offset: number, base64: string): Promise<readonly string[]> {
    const held = await resolveValue(this.#debuggee, ref);
    const { place } = held;
    if (place === undefined)
      throw new UsageError(`${ref} cannot be written`, {
        code: 'COMMAND_INVALID',
        hint: 'Sites of this layer and weights can be.',
      });
    this.#checkHere(place);
    const written = writtenIn(held, offset, bytesOf(base64));
    const { step } = this.#debuggee.session.position;
    const lines = written.map(({ selector, value }) => changeOf(`${place}${selector}`, String(value), step));
    return this.#debuggee.edit(lines.join('\n'));
  }

  /** A site from this step's layer on, or a weight for good. */
  #set(place: string, value: string): Promise<readonly string[]> {
    this.#checkHere(place);
    return this.#debuggee.edit(changeOf(place, value, this.#debuggee.session.position.step));
  }

  /** What has run stays as it was; a weight can be set anywhere. @throws UsageError SITE_NOT_CAPTURED */
  #checkHere(place: string): void {
    const site = siteOf(place);
    if (site === undefined) return;
    const name = canonicalName(this.#debuggee.model.program, site);
    if (this.#sites().some((s) => s.here && s.name === name)) return;
    throw notHere(site);
  }

  async #restart(): Promise<{ readonly done: boolean }> {
    const next = await this.opened.again(this.#debuggee.edits);
    next.remember(this.#debuggee);
    this.#debuggee = next;
    this.#backward.restart();
    await this.#book.again();
    return { done: true };
  }
}

const offWay = (): UsageError =>
  new UsageError('the run is on no way back', {
    code: 'COMMAND_INVALID',
    hint: '`backward EXPRESSION` begins one, as in backward loss.',
  });

const untrained = (): UsageError =>
  new UsageError('nothing is trained here', {
    code: 'COMMAND_INVALID',
    hint: 'A live process can be: docs/live.md.',
  });

/** A change of what the run has passed. */
const notHere = (site: string): UsageError =>
  new UsageError(`${site} is not in the layer that the run is in`, {
    code: 'SITE_NOT_CAPTURED',
    hint: 'What has run stays as it was: go back to its layer and set it there, or write an edit in the console for the steps to come.',
  });
