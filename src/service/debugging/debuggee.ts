import { DebugSession, type ExceptionFilter, type Position, type Stop, type Watched } from '../../debugger/index.js';
import { UsageError } from '../../base/index.js';
import {
  canonicalName,
  checkSampling,
  evaluate,
  placedSites,
  unknownSite,
  prepareExperiment,
  sample,
  scoreRows,
  type ExpressionToken,
  type ExpressionValue,
  type Instance,
  type Prompt,
  type Sequence,
  type Variant,
} from '../../engine/index.js';
import { eosIds } from '../../formats/index.node.js';
import { carried } from '../../graph/index.js';
import {
  parseEdits,
  parseExpression,
  scoresOf,
  siteOfGradient,
  sitesOf,
  tokensOf,
  type Edit,
  type Expression,
} from '../../language/index.js';
import type { ScoredToken, TokenView } from '../../protocol/index.js';
import { range, type Tensor } from '../../tensor/index.js';
import { loweredCondition, weightValue } from './lowering.js';
import { isInSomeLayer, localTree, type LocalSites } from './local-sites.js';
import { holdsAt, namedToken, notInLayer } from './moment.js';
import { EditHistory, type Stage } from './edit-history.js';
import { exceptionFilter, logText, watchedValue } from './watching.js';
import { contextFor, forcedTokens, samplingOf } from '../experiment.js';
import { needTokenizer, type OpenModel } from '../open-model.js';
import { textOf } from '../prompts.js';
import { scoredTokens } from '../scored.js';

export interface DebuggeeRequest {
  readonly prompt: Prompt;
  readonly edits: readonly Edit[];
  readonly maxNewTokens: number;
  readonly ignoreEos?: boolean;
}

const notYet = (site: string): UsageError =>
  new UsageError(`${site} is not computed yet in this step`, {
    code: 'SITE_NOT_CAPTURED',
    hint: 'Go on until its layer; an encoder runs in step 0 alone.',
  });

const noScoresYet = (): UsageError =>
  new UsageError('what comes next is not known before the end of this step', {
    code: 'SITE_NOT_CAPTURED',
    hint: '`token` goes there; lens_prob(...), lens_rank(...) and `words` tell what it would say if it ended here.',
  });

/** The words that a lens gives, and how likely each is. */
export type LensWords = readonly ScoredToken[];

/**
 * A model under the debugger: a session, the experiment that its changes make, and what the faces ask: expressions,
 * words, texts.
 */
export class Debuggee {
  readonly #history: EditHistory;
  #known: { readonly variant?: Variant; readonly names: ReadonlySet<string> } = { names: new Set() };

  private constructor(
    readonly model: OpenModel,
    readonly request: DebuggeeRequest,
    readonly session: DebugSession,
  ) {
    this.#history = new EditHistory(request.edits, session, (edits) => {
      checkSampling(samplingOf({}, edits));
      return prepareExperiment(contextFor(model, request.prompt, request.maxNewTokens), edits);
    });
  }

  /**
   * @param onInstance called before each layer that is run, with its name
   * @throws UsageError for edits that do not fit the model
   */
  static async start(
    model: OpenModel,
    request: DebuggeeRequest,
    onInstance?: (name: string) => Promise<void> | void,
  ): Promise<Debuggee> {
    const { prompt, maxNewTokens } = request;
    checkSampling(samplingOf({}, request.edits));
    const { variant } = await prepareExperiment(contextFor(model, prompt, maxNewTokens), request.edits);
    const eos = new Set(request.ignoreEos ? [] : eosIds(model.program.config, model.folder.generationConfig));
    const state: { made?: Debuggee } = {};
    const choose = (logits: Float32Array, ids: readonly number[], step: number): number | undefined =>
      state.made?.choose(logits, ids, { step, eos });
    const session = new DebugSession({
      ...{ program: model.program, compilations: model.compilations, variant, ids: prompt.ids, choose },
      ...(prompt.source ? { source: prompt.source.ids } : {}),
      ...(onInstance ? { onInstance } : {}),
    });
    return (state.made = new Debuggee(model, request, session));
  }

  /** The token that follows, unless the generation has ended. */
  choose(
    logits: Float32Array,
    ids: readonly number[],
    { step, eos }: { readonly step: number; readonly eos: ReadonlySet<number> },
  ): number | undefined {
    const last = ids.length > this.request.prompt.ids.length ? ids.at(-1) : undefined;
    if (step >= this.request.maxNewTokens || (last !== undefined && eos.has(last))) return undefined;
    const forced = forcedTokens(this.model, this.edits).get(step);
    const options = checkSampling(samplingOf({}, this.edits));
    return forced ?? sample(logits, options, { previousIds: ids, step }).id;
  }

  get position(): Position {
    return this.session.position;
  }

  /** The layer that the run is in; undefined outside of layers. */
  get layer(): number | undefined {
    return this.session.instance?.segment.layer;
  }

  get variant(): Variant {
    return this.session.variant;
  }

  /** The changes in force, in order. */
  get edits(): readonly Edit[] {
    return this.#history.edits;
  }

  /** The sequence so far. */
  get tokens(): readonly TokenView[] {
    return this.session.ids.map((id) => ({ id, text: textOf(this.model, id) }));
  }

  /** What was in force on the way here, and from where on. */
  get stages(): readonly Stage[] {
    return this.#history.stages;
  }

  /** Adds changes, as the edit language has them, from where the run stands. @throws UsageError EDIT_* */
  async edit(text: string): Promise<readonly string[]> {
    return this.#history.set([...this.edits, ...parseEdits(text)]);
  }

  /** Puts these changes in the place of all; undone as one. @throws UsageError EDIT_* */
  async load(edits: readonly Edit[]): Promise<readonly string[]> {
    return this.#history.set(edits);
  }

  /** What can be undone and made again, from the run that this one begins anew. */
  remember(before: Debuggee): void {
    this.#history.remember(before.#history);
  }

  /** Takes the last change back; where nothing ran since, as if it had never been made. @returns whether there was one */
  undo(): Promise<boolean> {
    return this.#history.undo();
  }

  redo(): Promise<boolean> {
    return this.#history.redo();
  }

  /** Makes changes where they were made in another run, and stands at the beginning. @returns whether it came to all */
  replay(stages: readonly Stage[]): Promise<boolean> {
    return this.#history.replay(stages, { step: 0, at: 0, op: 0 });
  }

  /**
   * What an expression gives where the run stands.
   * @throws UsageError EXPRESSION_*, SITE_UNKNOWN, SITE_NOT_CAPTURED
   */
  async evaluate(expression: string | Expression): Promise<ExpressionValue> {
    const parsed = typeof expression === 'string' ? parseExpression(expression) : expression;
    const tree = localTree(parsed, this.local);
    const sites = new Map<string, Awaited<ReturnType<DebugSession['read']>>>();
    for (const { site } of sitesOf(tree)) sites.set(site, await this.#read(site));
    const texts = new Map<string, readonly ExpressionToken[]>();
    for (const token of tokensOf(tree)) if (typeof token === 'string') texts.set(token, await this.#encode(token));
    const { session, request } = this;
    const { position, instance } = session;
    const { layer } = instance?.segment ?? {};
    const last = session.ids.length - 1;
    const lensLogits = scoresOf(tree).lens ? await this.#lensLogits() : undefined;
    return evaluate(tree, {
      site: (name) => {
        const value = sites.get(name);
        if (value) return value;
        throw notYet(name);
      },
      tokens: this.tokens,
      ...(request.prompt.source
        ? { sourceTokens: request.prompt.source.ids.map((id) => ({ id, text: textOf(this.model, id) })) }
        : {}),
      offset: position.step === 0 ? 0 : last,
      length: request.prompt.ids.length + request.maxNewTokens,
      logits: (p) => {
        if (p !== last) return undefined;
        if (session.logits) return session.logits;
        throw noScoresYet();
      },
      lensLogits: (p) => (p === last ? lensLogits : undefined),
      encode: (text) => texts.get(text) ?? [],
      step: position.step,
      ...(layer === undefined ? {} : { layer }),
    });
  }

  /** A site's whole value. @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED */
  async value(site: string): Promise<{ readonly tensor: Tensor; readonly axes: readonly string[] }> {
    const value = await this.#read(site);
    if (value) return value;
    throw notYet(site);
  }

  /** Scores of the next token: at the end of a step the model's, before it those it would give if it ended here. [vocab] */
  async scores(): Promise<Float32Array | undefined> {
    return this.session.logits ?? (await this.#lensLogits());
  }

  /** What comes next: at the end of a step the model's words, before it those it would say if it ended here. */
  async words(count: number): Promise<LensWords> {
    const logits = await this.scores();
    return logits ? scoredTokens(logits, count, (id) => textOf(this.model, id)) : [];
  }

  /** Where a run stops: before the operation that a condition holds at. */
  condition(text: string): () => Promise<boolean> {
    const tree = parseExpression(text);
    let known: { readonly variant: Variant; readonly place: string; readonly holds: boolean } | undefined;
    return async () => {
      const { variant, position } = this.session;
      const place = `${position.step}.${position.at}`; // an expression does not depend on the operation
      if (known?.variant !== variant || known.place !== place)
        known = { variant, place, holds: await holdsAt(this, tree) };
      return known.holds;
    };
  }

  /** The same condition for `Breakpoint.lowered`, so that it costs little where it does not hold. */
  lowered(text: string): ReturnType<typeof loweredCondition> {
    return loweredCondition(this, text);
  }

  /** What a data breakpoint watches: an expression, or `weight NAME`. @throws UsageError EXPRESSION_*, SITE_UNKNOWN */
  watch(text: string): () => Promise<Watched | undefined> {
    const weight = /^weight\s+(\S+)$/.exec(text.trim())?.[1];
    return weight === undefined ? watchedValue(this, text) : weightValue(this, weight);
  }

  /** What a log point writes: a text with expressions in braces. @throws UsageError EXPRESSION_*, SITE_UNKNOWN */
  logText(template: string, shown: (value: ExpressionValue) => string): () => Promise<string> {
    return logText(this, template, shown);
  }

  /** An exception filter by its text: `nan`, `entropy 0.5`, `lost " x"`. @throws UsageError COMMAND_INVALID */
  exceptionFilter(text: string): Promise<ExceptionFilter> {
    return exceptionFilter(this, text);
  }

  /** What selectors are resolved against here. */
  get sequence(): Sequence {
    const { prompt, maxNewTokens } = this.request;
    const length = prompt.ids.length + maxNewTokens;
    return { tokens: this.tokens, length, ...(prompt.source ? { source: prompt.source.tokens } : {}) };
  }

  /** A token by its text in quotes, or its id. @throws UsageError COMMAND_INVALID, AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE */
  async token(name: string): Promise<{ readonly token: number; readonly text: string }> {
    const given = namedToken(name);
    if (given === undefined)
      throw new UsageError(`${name} is no token`, {
        code: 'COMMAND_INVALID',
        hint: 'Give its text in quotes, or its id.',
      });
    const context = contextFor(this.model, this.request.prompt, this.request.maxNewTokens);
    const token = await context.tokenId(given);
    return { token, text: textOf(this.model, token) };
  }

  /** The sites of the model as it is edited, seen from a layer: the one where the run is, if nothing else is said. */
  get local(): LocalSites {
    return this.localIn(this.session.instance);
  }

  localIn(instance: Instance | undefined): LocalSites {
    const names = this.#names();
    const has = (name: string): boolean => names.has(canonicalName(this.model.program, name));
    return { place: instance?.name, has, all: () => names };
  }

  /** @throws UsageError SITE_UNKNOWN */
  checkSite(site: string): string {
    const name = canonicalName(this.model.program, site);
    if (this.#names().has(name)) return name;
    throw unknownSite(site, [...this.#names(), ...this.model.program.facts.aliases.keys()]);
  }

  #names(): ReadonlySet<string> {
    const { variant } = this.session;
    if (this.#known.variant !== variant)
      this.#known = { variant, names: new Set(placedSites(variant.order).map((p) => p.name)) };
    return this.#known.names;
  }

  /** A site's value in this step. @throws UsageError SITE_UNKNOWN */
  async #read(site: string): ReturnType<DebugSession['read']> {
    const isGradient = siteOfGradient(site) !== undefined; // a run has none
    if (!isGradient && isInSomeLayer(site, this.local)) throw notInLayer(site, this.local);
    return this.session.read(this.checkSite(site));
  }

  async #encode(text: string): Promise<readonly ExpressionToken[]> {
    const tokens = await needTokenizer(this.model).encode(text, { special: true, template: false });
    return tokens.map(({ id, text: piece }) => ({ id, text: piece }));
  }

  /** Scores of the last position, as if the model ended where the run is. */
  async #lensLogits(): Promise<Float32Array | undefined> {
    const { instance } = this.session;
    if (!instance || instance.segment.stack === 'encoder' || this.model.program.facts.output === 'labels')
      return undefined;
    const input = instance.segment.graph.sites.find((s) => s.name.endsWith('resid_pre'));
    if (!input || !instance.segment.graph.inputs.some((i) => i.name === carried)) return undefined;
    const resid = (await this.session.look([input.name])).get(input.name);
    if (!resid) return undefined;
    const rows = resid.shape[1] ?? 0;
    const scores = await scoreRows(this.model, this.session.variant, range(resid, 1, [rows - 1, rows]));
    return scores.data;
  }
}

export type { Stop };
