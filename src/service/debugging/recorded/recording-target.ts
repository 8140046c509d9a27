import { UsageError } from '../../../base/index.js';
import { Tape, type Looked, type MoveOptions, type TapeStop, type Target } from '../../../debugger/index.js';
import { completeExpression, formatEdit } from '../../../language/index.js';
import type {
  ChangeResult,
  Item,
  MoveResult,
  Motion,
  PointsInput,
  PointsResult,
  TargetAbout,
  TargetChange,
  TargetFrame,
  TargetState,
  TargetStop,
  TargetTold,
  ViewAnswerOf,
  ViewAsk,
  ViewAskOf,
} from '../../../protocol/index.js';
import { lastPart } from '../../last-part.js';
import { notesOf } from '../../recording/list-recording.js';
import { readRecording, type Recording } from '../../recording/open-recorded.js';
import { answerWith, bytesAnswer, paged, pointStop, repeated, tokenText, wordText, type Answers } from '../answers.js';
import { pictureOf } from '../picture.js';
import { evaluatedItem } from '../evaluating.js';
import { stepName } from '../frames.js';
import { childItems, itemOf, type HeldValue } from '../held-values.js';
import { ownName } from '../local-sites.js';
import { PointBook } from '../points.js';
import { RecordedMoment } from './recorded-moment.js';
import { recordedCatches, recordedPointRun } from './recorded-points.js';
import { stationsOf, type Stations } from './stations.js';

const limits = [
  'this is a recording: only what was recorded can be looked at, and nothing can be changed; attach to it with its model to have all',
];

const cannot = (what: string): UsageError =>
  new UsageError(`a recording ${what}`, {
    code: 'COMMAND_INVALID',
    hint: 'Debug the model with the recording: everything in the run can then be looked at and changed.',
  });

const stopOf = (stop: TapeStop): TargetStop => {
  switch (stop.reason) {
    case 'breakpoint':
    case 'data':
      return pointStop(stop);
    case 'exception':
      return stop;
    default:
      return { reason: stop.reason };
  }
};

/** A run that was recorded, without its model: a core dump that can be walked along. */
export class RecordingTarget implements Target {
  readonly #tape: Tape;
  readonly #moment: RecordedMoment;
  readonly #book: PointBook;
  #tell: (told: TargetTold) => void = () => undefined;
  #revision = 0;
  #said = 0;

  private constructor(
    readonly recording: Recording,
    { stations }: Stations,
    readonly about: TargetAbout,
  ) {
    this.#tape = new Tape(stations);
    this.#moment = new RecordedMoment(recording, this.#tape);
    this.#book = new PointBook(
      () => recordedPointRun(this.#moment),
      (told) => this.#tell(told),
    );
  }

  /** @throws ModelError RECORDING_INVALID, FILE_UNREADABLE */
  static async open(file: string): Promise<RecordingTarget> {
    const recording = await readRecording(file);
    const { manifest } = recording;
    const stations = stationsOf(manifest);
    const { prompt, model } = manifest;
    return new RecordingTarget(recording, stations, {
      ...{ kind: 'recording', name: lastPart(file), model: model.summary, notes: notesOf(recording) },
      can: {
        back: true,
        change: false,
        units: ['op', 'module', 'layer', 'token'],
        catches: [...recordedCatches],
        limits,
      },
      listing: stations.listing,
      prompt: { length: prompt.length, ...(prompt.target && prompt.tokens ? { source: prompt.tokens } : {}) },
      maxNewTokens: manifest.steps.length,
    });
  }

  get state(): TargetState {
    const { here, position } = this.#tape;
    const { experiment } = this.recording.manifest;
    const { tokens } = this.#moment;
    return {
      ...{ revision: this.#revision, position },
      ...(here && !this.#tape.isAtEnd ? { place: here.place, line: here.line } : {}),
      ...(here?.layer === undefined ? {} : { layer: here.layer }),
      ...{ frames: this.#frames(), tokens, edits: (experiment?.edits ?? []).map(formatEdit) },
    };
  }

  async resume(motion: Motion, { signal, poll, onTold = () => undefined }: MoveOptions = {}): Promise<MoveResult> {
    this.#tell = onTold;
    this.#tape.pausedBy(() => {
      this.#tokens();
      poll?.();
      return signal?.aborted === true;
    });
    const stop = await this.#move(motion);
    this.#tokens();
    this.#revision++;
    if (stop.reason === 'breakpoint') this.#book.hit(stop.breakpoint.id);
    return { stop: stopOf(stop), state: this.state };
  }

  points(input: PointsInput): Promise<PointsResult> {
    return this.#book.change(input);
  }

  view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    return answerWith(this.#answers, ask);
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    if (change.change !== 'restart') throw cannot('cannot be changed');
    this.#tape.goTo({ step: this.#tape.stations[0]?.position.step ?? 0, at: 0, op: 0 });
    this.#revision++;
    return { done: true, notes: [], state: this.state };
  }

  dispose(): Promise<void> {
    return this.recording.close();
  }

  async #move(motion: Motion): Promise<TapeStop> {
    switch (motion.kind) {
      case 'backward':
        throw cannot('has no gradients');
      case 'step': {
        const { by, back = false, times } = motion;
        const once = (): TapeStop => (back ? this.#tape.back(by) : this.#tape.forward(by));
        return repeated(once, times);
      }
      case 'out':
        return this.#tape.forward((this.#tape.here?.module ?? '') === '' ? 'layer' : 'module');
      case 'goto':
        return this.#tape.goTo(motion.position);
      case 'continue':
        return motion.back ? this.#tape.reverseContinue() : this.#tape.continue(motion.here);
    }
  }

  /** Innermost first: the value, its module, its layer, the step. */
  #frames(): TargetFrame[] {
    const { here, position, isAtEnd } = this.#tape;
    const { step, at } = position;
    const { tokens } = this.#moment;
    const start = { step, at, op: 0 };
    const inside: TargetFrame[] =
      !here || isAtEnd
        ? []
        : [
            { kind: 'op', name: here.site ?? 'the next token', line: here.line, begins: position },
            ...(here.module === ''
              ? []
              : [{ kind: 'module' as const, name: here.module, line: here.line, begins: position }]),
            { kind: 'layer', name: here.place, line: here.line, begins: start },
          ];
    const line = Math.max(1, tokens.length);
    return [
      ...inside,
      { kind: 'step', name: stepName(step, tokens), line, begins: { step, at: 0, op: 0 } },
      { kind: 'generation', name: 'generation', line, begins: { step: 0, at: 0, op: 0 } },
    ];
  }

  #tokens(): void {
    const tokens = this.#moment.made.slice(this.#said);
    const text = tokens.map((t) => t.text).join('');
    if (tokens.length > 0) this.#tell({ told: 'tokens', from: this.#said, tokens, text });
    this.#said += tokens.length;
  }

  async #resolve(ref: string): Promise<HeldValue> {
    if (!ref.startsWith('=')) return this.#moment.value(ref);
    const value = await this.#moment.evaluate(ref.slice(1));
    if (typeof value === 'object') return { tensor: value, axes: value.axes, offset: 0 };
    return { tensor: { dtype: 'float64', shape: [1], data: Float64Array.of(Number(value)) }, axes: [''], offset: 0 };
  }

  get #answers(): Answers {
    const moment = this.#moment;
    return {
      scopes: async (a) => ({ scopes: this.#scopes(a.frame) }),
      scope: async (a) => ({ items: paged(await this.#items(a.scope), a) }),
      children: async (a) => ({ items: childItems(a.ref, await this.#resolve(a.ref), a) }),
      evaluate: async (a) =>
        evaluatedItem(ownName(a.expression.trim(), moment.local), moment.sites, {
          value: (site) => moment.value(site),
          evaluate: (text) => moment.evaluate(text),
        }),
      bytes: async (a) => bytesAnswer(await this.#resolve(a.ref), a),
      training: async () => {
        throw cannot('trains nothing');
      },
      picture: async (a) => pictureOf(await this.#resolve(a.ref), a),
      words: async (a) => ({ words: (moment.step?.top ?? []).slice(0, a.count) }),
      token: async (a) => moment.token(a.name),
      sites: async () => ({ sites: this.#sites() }),
      points: async () => ({ points: this.#book.list, caught: [...this.#book.caught] }),
      complete: async (a) => ({
        completions: [...completeExpression(a.text, a.column, { sites: this.#sites() })],
      }),
      places: async (a) => ({ places: this.#places(a) }),
      ahead: async () => ({ places: [] }),
      lens: async () => {
        throw cannot('has no weights to read the stream with');
      },
      compare: async () => {
        throw cannot('has no unedited run beside it');
      },
    };
  }

  #scopes(frame: TargetFrame['kind']): ViewAnswerOf<'scopes'>['scopes'] {
    const inLayer = frame !== 'step' && frame !== 'generation';
    const always = [
      { scope: 'words', name: 'Next words', expensive: false },
      { scope: 'tokens', name: 'Tokens', expensive: false },
      { scope: 'edits', name: 'Edits', expensive: false },
    ] as const;
    return [...(inLayer ? [{ scope: 'sites' as const, name: 'Sites', expensive: false }] : []), ...always];
  }

  async #items(scope: ViewAskOf<'scope'>['scope']): Promise<Item[]> {
    const { state } = this;
    switch (scope) {
      case 'sites': {
        const items: Item[] = [];
        for (const { name, here } of this.#sites())
          if (here) items.push(itemOf(name, name, await this.#moment.value(name)));
        return items;
      }
      case 'words':
        return (this.#moment.step?.top ?? []).map((w, i) => ({
          name: String(i + 1),
          value: wordText(w),
        }));
      case 'tokens':
        return state.tokens.map((t, i) => ({ name: String(i), value: tokenText(t) }));
      case 'edits':
        return state.edits.map((value, i) => ({ name: String(i + 1), value }));
      default:
        return [];
    }
  }

  #sites(): ViewAnswerOf<'sites'>['sites'] {
    const { here, position } = this.#tape;
    const near = new Set(
      this.#tape.stations
        .filter((s) => s.position.step === position.step && s.place === here?.place)
        .map((s) => s.site),
    );
    const axes = new Map(this.recording.manifest.sites.map((s) => [s.name, s.axes]));
    return this.#moment.sites.map((name) => ({ name, axes: axes.get(name) ?? [], here: near.has(name) }));
  }

  #places({ source, line }: ViewAskOf<'places'>): ViewAnswerOf<'places'>['places'] {
    const { step } = this.#tape.position;
    if (source === 'listing')
      return this.#tape.stations
        .filter((s) => s.position.step === step && s.line === line)
        .map((s) => ({ label: s.site ?? s.place, position: { ...s.position } }));
    const to = Math.max(0, line - this.about.prompt.length);
    const first = this.#tape.stations.find((s) => s.position.step === to);
    return first ? [{ label: to === 0 ? 'prefill' : `step ${to}`, position: { ...first.position } }] : [];
  }
}
