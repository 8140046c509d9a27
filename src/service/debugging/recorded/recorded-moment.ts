import { UsageError } from '../../../base/index.js';
import type { Position, Tape } from '../../../debugger/index.js';
import { evaluate, unknownSite, type ExpressionToken, type ExpressionValue } from '../../../engine/index.js';
import { parseExpression, sitesOf, tokensOf, type Expression } from '../../../language/index.js';
import type { RecordedSite, RecordedStep, TokenView } from '../../../protocol/index.js';
import { range, toFloat32 } from '../../../tensor/index.js';
import { notCaptured, type Recording } from '../../recording/open-recorded.js';
import type { HeldValue } from '../held-values.js';
import { isInSomeLayer, localTree, type LocalSites } from '../local-sites.js';
import { namedToken, notInLayer, type Moment } from '../moment.js';

/** Axes along which a later step has new rows only. */
const moving: ReadonlySet<string> = new Set(['position', 'query']);

const isRun = (indices: readonly number[]): boolean =>
  indices.every((index, i) => i === 0 || index === (indices[i - 1] ?? 0) + 1);

const partial = ({ file }: Recording, { name, step }: RecordedSite, axis: string): UsageError =>
  new UsageError(`${file} has only a part of ${name} along ${axis}`, {
    code: 'SITE_NOT_CAPTURED',
    hint: `Step ${step} was recorded so. \`inspect\` shows the part; the model and the recording together have all of it.`,
  });

/** The first position of a value, of which all from there on must be there. @throws UsageError SITE_NOT_CAPTURED */
const offsetOf = (recording: Recording, site: RecordedSite): number => {
  let offset = 0;
  for (const [axis, indices] of Object.entries(site.indices ?? {})) {
    if (!moving.has(axis) || !isRun(indices)) throw partial(recording, site, axis);
    offset = indices[0] ?? 0;
  }
  return offset;
};

/** What was recorded, where a tape stands: what expressions are evaluated on. */
export class RecordedMoment implements Moment {
  readonly variant = 'recorded';

  constructor(
    readonly recording: Recording,
    readonly tape: Tape,
  ) {}

  get position(): Position {
    return this.tape.position;
  }

  get layer(): number | undefined {
    return this.tape.here?.layer;
  }

  /** What was recorded of the step that it is in. */
  get step(): RecordedStep | undefined {
    return this.recording.manifest.steps.find((s) => s.step === this.position.step);
  }

  /** The prompt, and the tokens made before this step. */
  get tokens(): TokenView[] {
    const { prompt, steps } = this.recording.manifest;
    const before = steps.filter((s) => s.step < this.position.step).flatMap((s) => s.token ?? []);
    return [...(prompt.target ?? prompt.tokens ?? []), ...before];
  }

  /** The tokens that the run made, this step's included where it stands at its end. */
  get made(): TokenView[] {
    const isEnd = this.tape.here?.place === 'next';
    const until = this.position.step + (isEnd ? 1 : 0);
    return this.recording.manifest.steps.filter((s) => s.step < until).flatMap((s) => s.token ?? []);
  }

  /** The names of all sites that were recorded. */
  get sites(): readonly string[] {
    return [...new Set(this.recording.manifest.sites.map((s) => s.name))];
  }

  get local(): LocalSites {
    const { sites } = this;
    return { place: this.tape.here?.place, has: (name) => sites.includes(name), all: () => sites };
  }

  checkSite(site: string): string {
    if (this.sites.includes(site)) return site;
    throw unknownSite(site, this.sites);
  }

  /** A site's value at this step. @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED */
  async value(name: string): Promise<HeldValue> {
    if (isInSomeLayer(name, this.local)) throw notInLayer(name, this.local);
    this.checkSite(name);
    const { step } = this.position;
    const site = this.recording.manifest.sites.find((s) => s.name === name && s.step === step);
    if (!site) throw notCaptured(this.recording, name, step);
    const offset = offsetOf(this.recording, site);
    return { tensor: await this.recording.read(site), axes: site.axes, offset, expression: name };
  }

  async evaluate(expression: string | Expression): Promise<ExpressionValue> {
    const parsed = typeof expression === 'string' ? parseExpression(expression) : expression;
    const tree = localTree(parsed, this.local);
    const held = new Map<string, HeldValue>();
    for (const { site } of sitesOf(tree)) held.set(site, await this.value(site));
    const [first] = held.values();
    const { step } = this.position;
    const { tokens } = this;
    const logits = tokensOf(tree).length > 0 ? await this.#logits() : undefined;
    const { prompt } = this.recording.manifest;
    return evaluate(tree, {
      site: (name) => held.get(name),
      tokens,
      ...(prompt.target ? { sourceTokens: prompt.tokens ?? [] } : {}),
      offset: first?.offset ?? (step === 0 ? 0 : tokens.length - 1),
      logits: (position) => (position === tokens.length - 1 ? logits : undefined),
      encode: (text) => this.#known(text),
      step,
      ...(this.layer === undefined ? {} : { layer: this.layer }),
    });
  }

  async token(name: string): Promise<{ readonly token: number; readonly text: string }> {
    const given = namedToken(name);
    if (typeof given === 'number') return { token: given, text: `[${given}]` };
    const [known] = given === undefined ? [] : this.#known(given);
    if (known) return { token: known.id, text: known.text };
    throw new UsageError(`${name} is no token that the recording names`, {
      code: 'COMMAND_INVALID',
      hint: 'A recording has no vocabulary: give the token’s id.',
    });
  }

  /** A recording has no vocabulary, but it names tokens: those of the sequence and the likeliest ones. */
  #known(text: string): readonly ExpressionToken[] {
    const { prompt, steps } = this.recording.manifest;
    const named = [...(prompt.tokens ?? []), ...(prompt.target ?? []), ...steps.flatMap((s) => [...(s.top ?? []), ...(s.token ? [s.token] : [])])]; // prettier-ignore
    const found = named.find((t) => t.text === text);
    return found ? [found] : [];
  }

  /** Scores of the next token, where they were recorded. [vocab] */
  async #logits(): Promise<Float32Array | undefined> {
    const { step } = this.position;
    const site = this.recording.manifest.sites.find((s) => s.name === 'logits' && s.step === step);
    if (!site) return undefined;
    const tensor = await this.recording.read(site);
    const rows = tensor.shape[1] ?? 0;
    return toFloat32(range(tensor, 1, [rows - 1, rows]));
  }
}
