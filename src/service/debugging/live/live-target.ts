import { UsageError, type DebuggerError } from '../../../base/index.js';
import { type Looked, type MoveOptions, type Target } from '../../../debugger/index.js';
import type {
  AgentEvent,
  AgentHello,
  AttachInput,
  ChangeResult,
  MoveResult,
  Motion,
  PointsInput,
  PointsResult,
  TargetAbout,
  TargetChange,
  TargetPosition,
  TargetState,
  TargetStop,
  TargetTold,
  ViewAsk,
  ViewAskOf,
} from '../../../protocol/index.js';
import { answerWith } from '../answers.js';
import { changeOf } from '../setting.js';
import { writeFileWhole } from '../../files.node.js';
import { acceptAgents } from './agent-connection.node.js';
import { LiveEdits } from './live-edits.js';
import { AgentTrees, type Encode } from './live-expressions.js';
import { capturedShapes, capturedValues, type Captured, type CaptureRequest } from './live-capture.js';
import { shownPart } from './live-items.js';
import { LiveModel } from './live-model.js';
import { LivePoints, liveCatches } from './live-points.js';
import { LiveRank, type Came } from './live-rank.js';
import { LiveRanks } from './live-ranks.js';
import { recordPass } from './live-recording.js';
import { orderOf, stateOf, stopOf } from './live-state.js';
import { resolveRef } from './live-values.js';
import type { LiveContext } from './live-scopes.js';
import { LiveViews } from './live-views.js';

const forwards = 'Its modules can be stepped, forward; a module that it is inside of can be run again.';

const cannot = (what: string, hint = forwards): UsageError =>
  new UsageError(`a live process ${what}`, { code: 'COMMAND_INVALID', hint });

export interface LiveOptions {
  /** Told when a process is gone without a word. */
  readonly onDeath?: (error: DebuggerError) => void;
  /** Told when it stands, or has ended, while nobody waits for it: the next move, whichever, says where and why. */
  readonly onNews?: () => void;
}

const aboutOf = (model: LiveModel, hellos: readonly AgentHello[]): TargetAbout => {
  const [first] = hellos;
  const { summary, type } = model.description;
  const ranks = hellos.length > 1 ? `, ${hellos.length} ranks` : '';
  return {
    ...{ kind: 'process', name: type, model: summary, notes: [...model.notes] },
    can: {
      ...{
        back: false,
        change: true,
        again: true,
        units: ['op', 'module', 'layer', 'token'],
        catches: [...liveCatches],
      },
      limits: [
        `process ${first?.pid ?? ''} (${first?.script ?? ''}, PyTorch ${first?.torch ?? ''}${ranks}): it is stepped forward, module by module; what has run stays as it was`,
      ],
    },
    listing: [...model.listing.lines],
    ...{ prompt: { length: 0 }, maxNewTokens: 1_000_000 },
  };
};

/**
 * A live PyTorch process, or the ranks of one program, as a target: the agent in it stops at modules, looks, and
 * changes; here is what the model is called, and what faces are told.
 */
export class LiveTarget implements Target {
  readonly model: LiveModel;
  readonly about: TargetAbout;
  readonly #points: LivePoints;
  readonly #edits: LiveEdits;
  readonly #views: LiveViews;
  readonly #encode: Encode;
  readonly #trees: AgentTrees;
  #tell: (told: TargetTold) => void = () => undefined;
  #revision = 0;
  #said: readonly number[] = [];
  /** Stops that faces were told of: a process that runs on may come to another while nobody waits. */
  readonly #seen = new WeakSet<object>();
  #begun = false;

  private constructor(
    readonly ranks: LiveRanks,
    opened: { readonly model: LiveModel; readonly hellos: readonly AgentHello[] },
  ) {
    this.model = opened.model;
    this.about = aboutOf(opened.model, opened.hellos);
    this.#encode = (text) => this.ranks.one.connection.request('encode', { text });
    this.#trees = new AgentTrees(this.model, this.#encode);
    this.#points = new LivePoints(this.model, this.#trees, (method, params) => this.#all(method, params));
    const agents = ranks.all.map((rank) => rank.connection);
    this.#edits = new LiveEdits(this.model, agents, this.#encode);
    this.#views = new LiveViews(this.#context);
  }

  /**
   * Attaches to a process, or to the ranks of one program, each at the port behind the one before.
   * @throws EngineError AGENT_UNREACHABLE, AGENT_LOST; UsageError AGENT_REFUSED
   */
  static async open(
    given: Omit<AttachInput, 'listen'> & Partial<Pick<AttachInput, 'listen'>>,
    options: LiveOptions = {},
  ): Promise<LiveTarget> {
    const input = { ...given, listen: given.listen ?? false };
    const made: { target?: LiveTarget } = {};
    const onTold = (event: Extract<AgentEvent, { event: 'log' | 'note' }>): void => made.target?.hear(event);
    const opened: { rank: LiveRank; hello: AgentHello }[] = [];
    try {
      const sockets = input.listen ? await acceptAgents(input) : [];
      for (let i = 0; i < input.ranks; i++) {
        const at = { ...input, port: input.port + i };
        opened.push(await LiveRank.open(at, { ...options, onTold, socket: sockets[i] }));
      }
      opened.sort((a, b) => a.hello.rank - b.hello.rank);
      const [first] = opened;
      if (!first) throw cannot('is nowhere');
      const model = new LiveModel(await first.rank.connection.request('describe'));
      const { logits } = Object.fromEntries(model.known.sites);
      const sites = Object.fromEntries([...model.known.sites].map(([name, { at, axes }]) => [name, { at, axes }]));
      for (const { rank } of opened)
        await rank.connection.request('configure', { sites, ...(logits ? { logits: logits.at } : {}) });
      const ranks = new LiveRanks(
        opened.map((o) => o.rank),
        (text) => made.target?.hear({ event: 'note', text }),
      );
      made.target = new LiveTarget(ranks, { model, hellos: opened.map((o) => o.hello) });
      return made.target;
    } catch (error) {
      for (const { rank } of opened) rank.close();
      throw error;
    }
  }

  get state(): TargetState {
    return stateOf(this.model, this.ranks.standing, { revision: this.#revision, edits: this.#edits.texts });
  }

  /** It stands where no face was told of, or has ended: the next move tells it, and moves nothing. */
  get hasNews(): boolean {
    return this.#hasUnseen || this.ranks.all.every((rank) => rank.hasEnded);
  }

  async resume(motion: Motion, { signal, onTold = () => undefined }: MoveOptions = {}): Promise<MoveResult> {
    this.#tell = onTold;
    try {
      let stop = await this.#once(motion, signal);
      const times = motion.kind === 'step' ? (motion.times ?? 1) : 1;
      for (let i = 1; i < times && stop.reason === 'step'; i++) stop = await this.#once(motion, signal);
      this.#revision++;
      this.#tokens();
      return { stop, state: this.state };
    } finally {
      this.#tell = () => undefined;
    }
  }

  points(input: PointsInput): Promise<PointsResult> {
    return this.#points.change(input);
  }

  view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    return answerWith(this.#views.answers, ask);
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    const { done = true, notes = [] } = (await this.#change(change)) ?? {};
    this.#revision++;
    return { done, notes: [...notes], state: this.state };
  }

  /** Lets the process go: whatever stands goes on, and no hook is left in it. */
  async dispose(): Promise<void> {
    for (const rank of this.ranks.all) rank.close();
  }

  /** A log point, or something to know. */
  hear(event: Extract<AgentEvent, { event: 'log' | 'note' }>): void {
    if (event.event === 'note') {
      this.#tell({ told: 'log', text: `note: ${event.text}`, point: 0 });
      return;
    }
    const text = event.parts.map((part) => (typeof part === 'string' ? part : shownPart(part))).join('');
    const point = Math.floor(event.point / 8);
    const line = this.#points.lineOf(point);
    this.#tell({ told: 'log', text, point, ...(line === undefined ? {} : { line }) });
  }

  /**
   * Runs a prompt once in the process, with no debugger's stop in it, and gives these values of that pass. The changes
   * made here are not in force in it; of ranks, the one that is looked at is asked.
   * @param sites globs over sites and modules
   * @param targetIds of an encoder-decoder: what its decoder is given
   * @returns by name, in the order in which the sites are known; those that no module gave are left out
   * @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED
   */
  capture(
    ids: readonly number[],
    sites: string,
    targetIds?: readonly number[],
  ): Promise<ReadonlyMap<string, Captured>> {
    return capturedValues(this.#asked(ids, targetIds), this.model.matching(sites));
  }

  /**
   * Runs a prompt once as `capture` does, and gives the shapes of all floating-point values that it would give: no
   * number leaves the process.
   * @param names sites and modules, as `model.find` knows them
   */
  captureShapes(
    ids: readonly number[],
    names: readonly string[],
    targetIds?: readonly number[],
  ): Promise<ReadonlyMap<string, readonly number[]>> {
    return capturedShapes(
      this.#asked(ids, targetIds),
      names.map((name) => this.model.site(name)),
    );
  }

  #asked(ids: readonly number[], targetIds: readonly number[] | undefined): CaptureRequest {
    return { connection: this.ranks.one.connection, ids, ...(targetIds ? { targetIds } : {}) };
  }

  get #context(): LiveContext {
    return {
      ...{ model: this.model, ranks: this.ranks, trees: this.#trees, points: this.#points, encode: this.#encode },
      edits: () => this.#edits.texts,
    };
  }

  async #all(method: 'points', params: object) {
    const answers = await Promise.all(
      this.ranks.all.filter((r) => !r.hasEnded).map((r) => r.connection.request(method, params)),
    );
    return answers[this.ranks.focus] ?? answers[0] ?? { met: {} };
  }

  /** A rank that followed another is no news. */
  get #hasUnseen(): boolean {
    const { one, standing } = this.ranks;
    return one.stands && standing.why?.reason !== 'follow' && !this.#seen.has(standing);
  }

  async #once(motion: Motion, signal: AbortSignal | undefined): Promise<TargetStop> {
    if (this.ranks.all.every((rank) => rank.hasEnded)) return { reason: 'end', description: 'the process has ended' };
    return this.#told(this.#hasUnseen ? { came: 'stopped' } : await this.#move(motion, signal));
  }

  async #move(motion: Motion, signal: AbortSignal | undefined): Promise<Came | 'paused'> {
    const { ranks } = this;
    const runs = !ranks.one.stands;
    switch (motion.kind) {
      case 'step':
        if (motion.back) throw cannot('does not go back');
        return ranks.move({ by: { op: 'in', module: 'over', layer: 'layer', token: 'token' }[motion.by] }, signal);
      case 'out':
        return ranks.move({ by: 'out' }, signal);
      case 'continue':
        if (motion.back) throw cannot('does not go back');
        if (runs && this.#begun) return ranks.settle(signal);
        this.#begun = true;
        return ranks.move({ by: 'go' }, signal);
      case 'goto':
        return this.#goTo(motion.position, signal);
      case 'backward':
        throw cannot(
          'goes backward itself, where it calls backward()',
          'break backward MODULE, catch exploding: these stop it there.',
        );
    }
  }

  /** To a module that is ahead; one that it is inside of is run again. */
  async #goTo(to: TargetPosition, signal: AbortSignal | undefined): Promise<Came | 'paused'> {
    const { standing } = this.ranks;
    const order = orderOf(this.model, standing);
    const path = order[to.at];
    if (path === undefined || to.step !== standing.step) throw cannot('goes to modules of the present step alone');
    const isInside = standing.stack.some((frame) => frame.path === path) && standing.when !== 'backward';
    if (isInside && to.op === 0) {
      await Promise.all(this.ranks.all.filter((r) => r.stands).map((rank) => rank.again(path)));
      return this.ranks.settle(signal);
    }
    if (to.at < order.indexOf(standing.path ?? '')) throw cannot('does not go back');
    return this.ranks.move({ by: 'to', to: { path, when: to.op === 0 ? 'before' : 'after' } }, signal);
  }

  #told(came: Came | 'paused'): TargetStop {
    for (const { standing } of this.ranks.all) this.#seen.add(standing);
    if (came === 'paused') return { reason: 'pause', description: 'the process runs, but not in its model' };
    if (came.came === 'ended') return { reason: 'end', description: came.text };
    const { why } = this.ranks.standing;
    if (why?.problem !== undefined)
      this.#tell({
        told: 'log',
        text: `the condition cannot be evaluated: ${why.problem}`,
        point: Math.floor((why.point ?? 0) / 8),
      });
    return stopOf(this.ranks.standing, this.#points);
  }

  /** Tokens that the sequence has more than when it was told of last. */
  #tokens(): void {
    const { tokens, prompt, training } = this.ranks.standing;
    if (training) return;
    const made = tokens.slice(prompt);
    const ids = made.map((t) => t.id);
    const different = ids.findIndex((id, i) => this.#said[i] !== id);
    this.#said = ids;
    if (different < 0) return;
    const fresh = made.slice(different);
    this.#tell({ told: 'tokens', from: different, tokens: [...fresh], text: fresh.map((t) => t.text).join('') });
  }

  async #change(change: TargetChange): Promise<{ done?: boolean; notes?: readonly string[] } | undefined> {
    switch (change.change) {
      case 'edit':
        await this.#edits.add(change.text);
        return undefined;
      case 'set':
        await this.#edits.add(changeOf(change.place, change.value, this.state.position.step));
        return undefined;
      case 'undo':
        return { done: await this.#edits.undo() };
      case 'redo':
        return { done: await this.#edits.redo() };
      case 'load':
        await this.#edits.load(change.text);
        return undefined;
      case 'write':
        await this.#write(change);
        return undefined;
      case 'rank':
        return this.#focus(change.rank);
      case 'ops':
        await this.#ops(change.modules);
        return undefined;
      case 'trace':
        return this.#trace(change);
      case 'record':
        return recordPass(change, {
          model: this.model,
          ranks: this.ranks,
          about: this.about,
          edits: this.#edits.texts,
        });
      case 'restart':
        throw cannot('is not begun again by the debugger');
    }
  }

  async #write({ ref, offset, bytes }: Extract<TargetChange, { change: 'write' }>): Promise<void> {
    const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
    if (ref.startsWith('weight:')) {
      await this.#edits.write({ weight: ref.slice(7) }, offset, data);
      return;
    }
    const { opened } = await resolveRef(ref, this.model, this.#trees);
    await this.#edits.write({ site: this.model.site(opened.name) }, offset, data);
  }

  #focus(rank: number): { done: boolean } {
    if (rank >= this.ranks.all.length) throw cannot(`has no rank ${rank}: it has ${this.ranks.all.length}`);
    this.ranks.focus = rank;
    return { done: true };
  }

  async #ops(modules: string): Promise<void> {
    const text = modules.trim();
    const paths = text === '' || text === 'off' ? [] : this.model.matching(text).map((site) => site.at.path);
    await Promise.all(this.ranks.all.map((rank) => rank.connection.request('ops', { paths })));
  }

  async #trace({
    ops = false,
    file,
  }: Extract<TargetChange, { change: 'trace' }>): Promise<{ notes: readonly string[] }> {
    if (file === undefined) {
      await Promise.all(this.ranks.all.map((rank) => rank.connection.request('trace', { on: true, ops })));
      return { notes: [] };
    }
    const parts = await Promise.all(this.ranks.all.map((rank) => rank.connection.ask('trace', { on: false })));
    const [first, ...more] = parts.map(
      (p) => JSON.parse(new TextDecoder().decode(p.payload)) as { traceEvents: unknown[] },
    );
    const whole = { ...first, traceEvents: [...(first?.traceEvents ?? []), ...more.flatMap((m) => m.traceEvents)] };
    await writeFileWhole(file, JSON.stringify(whole));
    return { notes: [`${whole.traceEvents.length} events`] };
  }
}
