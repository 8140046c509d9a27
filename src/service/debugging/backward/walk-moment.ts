import { UsageError } from '../../../base/index.js';
import {
  asFloat32,
  canonicalName,
  evaluate,
  itemValues,
  placedSites,
  unknownSite,
  type ExpressionToken,
  type ExpressionValue,
} from '../../../engine/index.js';
import {
  gradientName,
  parseExpression,
  scoresOf,
  siteOfGradient,
  sitesOf,
  tokensOf,
  type Expression,
} from '../../../language/index.js';
import type { Tensor } from '../../../tensor/index.js';
import { tokensOfText } from '../../prompts.js';
import type { Debuggee } from '../debuggee.js';
import type { HeldValue } from '../held-values.js';
import { isInSomeLayer, localTree, ownName, type LocalSites } from '../local-sites.js';
import { notInLayer, type Moment } from '../moment.js';
import type { BackwardWalk } from './walk.js';

/** Values of the pass that are kept, since several conditions may ask for them. */
const valuesKept = 16;

const notWalking = (): UsageError =>
  new UsageError('the run is on no way back', {
    code: 'SITE_NOT_CAPTURED',
    hint: '`backward EXPRESSION` begins one, as in backward loss.',
  });

/** Where a way back stands, as conditions, watches and log points ask it: gradients, and the values of its pass. */
export class WalkMoment implements Moment {
  readonly #values = new WeakMap<BackwardWalk, Map<string, Tensor>>();

  /** @param now the way back that is walked; undefined while there is none */
  constructor(
    readonly debuggee: () => Debuggee,
    readonly now: () => BackwardWalk | undefined,
  ) {}

  get walk(): BackwardWalk {
    const walk = this.now();
    if (walk) return walk;
    throw notWalking();
  }

  get position(): Moment['position'] {
    return this.now()?.tape.position ?? this.debuggee().position;
  }

  get layer(): number | undefined {
    return this.now()?.tape.here?.layer;
  }

  get variant(): unknown {
    return this.now();
  }

  get local(): LocalSites {
    const walk = this.now();
    const { local } = this.debuggee();
    return walk ? { ...local, place: walk.tape.here?.place } : local;
  }

  checkSite(site: string): string {
    const inner = siteOfGradient(site);
    return inner === undefined ? this.debuggee().checkSite(site) : gradientName(this.debuggee().checkSite(inner));
  }

  token(name: string): ReturnType<Debuggee['token']> {
    return this.debuggee().token(name);
  }

  /** A gradient `grad(SITE)`, or a value of the pass. @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED */
  async value(name: string): Promise<HeldValue> {
    const own = ownName(name, this.local);
    const inner = siteOfGradient(own);
    const site = inner ?? own;
    if (isInSomeLayer(site, this.local)) throw notInLayer(site, this.local);
    const { axes, name: found } = this.#placed(site);
    if (inner === undefined) return { tensor: await this.#value(found), axes, offset: 0, expression: found };
    const shown = gradientName(found);
    return { tensor: await this.#gradient(found), axes, offset: 0, place: shown, expression: shown };
  }

  async evaluate(expression: string | Expression): Promise<ExpressionValue> {
    const parsed = typeof expression === 'string' ? parseExpression(expression) : expression;
    const tree = localTree(parsed, this.local);
    const held = new Map<string, HeldValue>();
    for (const { site } of sitesOf(tree)) held.set(site, await this.value(site));
    const { model, prompt } = this.walk.gradients.request;
    const texts = new Map<string, readonly ExpressionToken[]>();
    for (const token of tokensOf(tree))
      if (typeof token === 'string') texts.set(token, await tokensOfText(model, token));
    const { logits: rows, lens } = scoresOf(tree);
    if (lens)
      throw new UsageError('on a way back nothing is known of what the model would say if it ended here', {
        code: 'EXPRESSION_INVALID',
        hint: 'prob(...) and rank(...) are those at the end of its pass.',
      });
    const logits = rows === 'none' ? undefined : await this.scores(rows);
    const { layer } = this;
    return evaluate(tree, {
      ...itemValues({ prompt, texts, site: (name) => held.get(name), logits }),
      step: this.position.step,
      ...(layer === undefined ? {} : { layer }),
    });
  }

  /** Scores of the pass. [1, position, vocab], or of the last position alone */
  async scores(rows: 'all' | 'last'): Promise<Tensor<'float32'> | undefined> {
    const { model, variant, prompt } = this.walk.gradients.request;
    const { ids, source } = prompt;
    const run = await model.runs.run(model, { variant, ids, source: source?.ids, logits: rows });
    return run.logits;
  }

  async #gradient(site: string): Promise<Tensor> {
    const { walk } = this;
    const { variant } = walk.gradients.request;
    const reached = new Set(walk.reached);
    const place = placedSites(variant.order).find((p) => p.name === site)?.instance.name;
    const isOnRequest = !walk.tape.stations.some((s) => s.site === site) && place === walk.tape.here?.place;
    const gradient = reached.has(site) || isOnRequest ? await walk.gradients.by(site) : undefined;
    if (gradient) return asFloat32(gradient);
    throw new UsageError(`${gradientName(site)} has not come back yet`, {
      code: 'SITE_NOT_CAPTURED',
      hint: `The way back is at ${walk.site}: go on until there.`,
    });
  }

  async #value(site: string): Promise<Tensor> {
    const { walk } = this;
    const kept = this.#values.get(walk) ?? new Map<string, Tensor>();
    this.#values.set(walk, kept);
    const known = kept.get(site);
    if (known) return known;
    const { model, variant, prompt } = walk.gradients.request;
    const { ids, source } = prompt;
    const capture = new Set([site]);
    if (kept.size >= valuesKept) kept.clear();
    await model.runs.run(model, {
      ...{ variant, ids, source: source?.ids, logits: 'none', capture },
      onSites: (values) => values.forEach((tensor, name) => kept.set(name, tensor)),
    });
    const value = kept.get(site);
    if (value) return value;
    throw unknownSite(site, placedSites(variant.order).map((p) => p.name)); // prettier-ignore
  }

  #placed(site: string): { readonly name: string; readonly axes: readonly string[] } {
    const { model, variant } = this.walk.gradients.request;
    const places = placedSites(variant.order);
    const name = canonicalName(model.program, site);
    const place = places.find((p) => p.name === name);
    if (place) return { name, axes: place.type.axes };
    throw unknownSite(site, [...places.map((p) => p.name), ...model.program.facts.aliases.keys()]);
  }
}
