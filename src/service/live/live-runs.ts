import { UsageError } from '../../base/index.js';
import type { Edit } from '../../language/index.js';
import type { AgentAnswer } from '../../protocol/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import {
  AgentTrees,
  checkReadThere,
  LiveEdits,
  packed,
  type AgentPatch,
  type LiveSite,
  type LiveTarget,
} from '../debugging/live/index.js';
import type { LivePass, LivePassed, LiveRunner } from './live-runner.js';

const scores = 'the scores';

/** Passes that the agent of a process runs. */
export class LiveRuns implements LiveRunner {
  readonly #trees: AgentTrees;
  readonly #edits: LiveEdits;

  constructor(
    readonly target: LiveTarget,
    /** Changes that all passes have. */
    readonly always: readonly AgentPatch[] = [],
  ) {
    const encode = (text: string) => this.#connection.request('encode', { text });
    this.#trees = new AgentTrees(target.model, encode);
    this.#edits = new LiveEdits(target.model, [this.#connection], encode);
  }

  get #connection() {
    return this.target.ranks.one.connection;
  }

  /** The same under edits. @throws UsageError EDIT_INVALID, SITE_* */
  async edited(edits: readonly Edit[]): Promise<LiveRuns> {
    const own = edits.filter(({ edit }) => edit !== 'prompt');
    return own.length === 0 ? this : new LiveRuns(this.target, await this.#edits.ofPass(own));
  }

  /** @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED */
  site(name: string): LiveSite {
    return this.target.model.site(name);
  }

  /** A site that all that follows reads. @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED */
  changeable(name: string): LiveSite {
    const site = this.site(name);
    checkReadThere(site);
    return site;
  }

  /** @throws UsageError SITE_*, EXPRESSION_*, GRADIENT_UNDEFINED; EngineError AGENT_LOST, ENGINE_FAILED */
  async pass({
    prompts,
    changes = [],
    capture = [],
    positions,
    of = [],
    gradients = [],
  }: LivePass): Promise<LivePassed> {
    const named = [...capture.map((name) => this.site(name)), ...gradients.map((name) => this.changeable(name))];
    const refs: Record<string, object> = Object.fromEntries(named.map(({ name, at }) => [name, at]));
    const logits = this.target.model.known.sites.get('logits');
    const isRows = logits?.axes.includes('position') === true;
    if (positions && logits)
      refs[scores] = { ...logits.at, ...(isRows ? { view: { ...logits.at.view, take: [1, positions] } } : {}) };
    const trees: object[] = [];
    for (const expression of of) trees.push((await this.#trees.of(expression)).tree);
    const { patches, payload } = packed([...this.always, ...changes]);
    const asked = {
      ids: prompts.map(({ ids, source }) => source?.ids ?? ids),
      ...(prompts[0]?.source ? { targetIds: prompts.map(({ ids }) => ids) } : {}),
      ...{ refs, changes: patches, of: trees, gradients },
      ...(logits ? { logits: logits.at } : {}),
    };
    const { result, payload: bytes } = await this.#connection.ask('capture', asked, payload);
    const values = valuesIn(result, bytes);
    checkThere([...capture, ...gradients], values);
    return {
      scalars: result.scalars,
      sites: new Map(capture.flatMap((name) => entry(name, values.get(name)))),
      gradients: new Map(gradients.flatMap((name) => entry(name, values.get(`grad(${name})`)))),
      logits: values.get(scores),
    };
  }
}

const valuesIn = (
  { values }: AgentAnswer<'capture'>,
  bytes: Uint8Array<ArrayBuffer>,
): ReadonlyMap<string, Tensor<'float32'>> =>
  new Map(
    values.map(({ name, shape, offset, bytes: size }) => {
      const numbers = new Float32Array(bytes.buffer.slice(offset, offset + size));
      return [name, float32(shape, numbers)] as const;
    }),
  );

/** @throws UsageError SITE_NOT_CAPTURED */
const checkThere = (names: readonly string[], values: ReadonlyMap<string, Tensor<'float32'>>): void => {
  const missing = names.find((name) => !values.has(name));
  if (missing === undefined) return;
  throw new UsageError(`${missing} was not computed in this pass`, {
    code: 'SITE_NOT_CAPTURED',
    hint: 'Its module was not called; attention that is not eager keeps no pattern.',
  });
};

const entry = (
  name: string,
  value: Tensor<'float32'> | undefined,
): readonly (readonly [string, Tensor<'float32'>])[] => (value ? [[name, value]] : []);
