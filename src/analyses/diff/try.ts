import { DebuggerError, type JsonObject } from '../../base/index.js';
import {
  Compilations,
  Pass,
  type Backend,
  type Instance,
  type PassState,
  type Prompt,
  type Variant,
} from '../../engine/index.js';
import type { Weights } from '../../formats/index.js';
import { carried, type Program, type Segment } from '../../graph/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import { Borrowed, type Lent } from './borrowed.js';
import type { Scene, Try } from './mistakes/index.js';
import type { Side } from './walk.js';

/** Where the change of a try is made: in the segment that differs, or in every one that is built alike. */
export type Reach = 'here' | 'everywhere';

/** A try that was carried out. */
export interface Step {
  readonly scene: Scene;
  readonly one: Try;
  readonly reach: Reach;
}

/** A model in which mistakes can be tried. */
export interface Trial {
  /** The computation, with what was carried out so far. */
  readonly program: Program;
  /** The model's own, with other fields of the config. @throws ModelError CONFIG_* */
  readonly make: (fields: JsonObject) => Program;
  /** What was carried out so far, in order. */
  readonly steps?: readonly Step[];
  /**
   * Each segment is run on the stream that this other side's segments gave, so that what differs is the segment's own,
   * however far the two runs are apart by then.
   */
  readonly feed?: Side;
  readonly weights: Weights;
  readonly backend: Backend;
  /** What of the model is compiled already, so that a try compiles no more than what it changes. */
  readonly lent?: Lent;
  readonly variant: Variant;
  readonly prompt: Prompt;
  readonly onSegment?: (name: string) => void | Promise<void>;
}

/** A pass over the prompt that captures sites. */
const passOf = (trial: Trial, compilations: Compilations, capture: ReadonlySet<string>): Pass =>
  new Pass(trial.program, compilations, {
    ...{ variant: trial.variant, ids: [trial.prompt.ids], capture, logits: 'none' },
    ...(trial.prompt.source ? { source: [trial.prompt.source.ids] } : {}),
    ...(trial.onSegment ? { onSegment: trial.onSegment } : {}),
  });

/** What runs with segments compiled for it, which are dropped behind it; those that are the model's own are borrowed. */
const withPass = async <Result>(
  trial: Trial,
  capture: ReadonlySet<string>,
  work: (pass: Pass) => Promise<Result>,
): Promise<Result> => {
  const { lent } = trial;
  const compilations = lent ? new Borrowed(lent, trial) : new Compilations(trial.backend, trial.weights);
  try {
    return await work(passOf(trial, compilations, capture));
  } finally {
    await compilations.dispose();
  }
};

/** The sites that hold the stream which an instance reads: its own, or that of the one before. */
const streamSites = ({ instances }: Pass, at: number): readonly string[] => {
  const [own, before] = [instances[at]?.segment.graph, instances[at - 1]?.segment.graph];
  const input = own?.inputs.find((i) => i.name === carried)?.id;
  const output = before?.outputs.find((o) => o.name === carried)?.value;
  const isIn = own && input !== undefined ? own.sites.filter((s) => s.value === input) : [];
  const isOut = before && input !== undefined ? before.sites.filter((s) => s.value === output) : [];
  return [...isIn, ...isOut].map((s) => s.name);
};

/** Does it read a stream at all? */
const readsStream = ({ segment }: Instance): boolean => segment.graph.inputs.some((i) => i.name === carried);

/** The other side's stream in the shape of ours; undefined where it is of another size. */
const inShape = (theirs: Tensor | undefined, ours: Tensor | undefined): Tensor | undefined =>
  theirs && ours && theirs.data.length === ours.data.length
    ? float32(
        ours.shape,
        Float32Array.from({ length: theirs.data.length }, (_, i) => Number(theirs.data[i])),
      )
    : undefined;

/**
 * What the next instance of a pass is given: what was handed on, or, where the trial feeds, the other side's stream
 * instead of ours; undefined where the other side does not have it.
 */
const fedState = async ({ feed }: Trial, pass: Pass): Promise<PassState | undefined> => {
  const { next, state } = pass;
  if (!feed || !next || !readsStream(next)) return state;
  const site = streamSites(pass, state.at).find((name) => feed.sites.includes(name));
  const theirs = site === undefined ? undefined : (await feed.read([site])).get(site);
  const stream = inShape(theirs, state.handed.get(carried));
  return stream && { ...state, handed: new Map([...state.handed, [carried, stream]]) };
};

/**
 * Values of sites on the prompt. Where the trial feeds, each segment is run on the other side's stream, and of segments
 * whose stream the other side does not have no values are given.
 */
export const valuesIn = (trial: Trial, sites: Iterable<string>): Promise<ReadonlyMap<string, Tensor>> =>
  withPass(trial, new Set(sites), async (pass) => {
    if (!trial.feed) return (await pass.run()).sites;
    const values = new Map<string, Tensor>();
    while (pass.next) {
      const { state } = pass;
      const fed = await fedState(trial, pass);
      pass.sites.clear();
      pass.restore(fed ?? state);
      await pass.advance();
      if (fed) for (const [name, value] of pass.sites) values.set(name, value);
    }
    return values;
  });

/** What was handed on when the segment of a scene is about to run. */
export const stateBefore = (trial: Trial, { segment, site }: Scene): Promise<PassState | undefined> =>
  withPass(trial, new Set([site]), async (pass) => {
    while (pass.next && pass.next.name !== segment.id) await pass.advance();
    return pass.next && fedState(trial, pass);
  });

const segmentOf = (program: Program, id: string): Segment | undefined => program.segments.find((s) => s.id === id);

/** What can be changed without making the program anew. */
interface Changing {
  readonly program: Program;
  readonly weights: ReadonlyMap<string, Tensor>;
}

const reaches = (segment: Segment, { scene, one, reach }: Step): boolean => {
  if (reach === 'here') return segment.id === scene.segment.id;
  return one.beyond === true || (segment.kind === scene.segment.kind && segment.stack === scene.segment.stack);
};

/** Carries out a step; undefined where it has no place in its own segment. */
const carriedOut = async ({ program, weights }: Changing, step: Step): Promise<Changing | undefined> => {
  const [segments, replaced] = [new Map<string, Segment>(), new Map(weights)];
  const { scene, one } = step;
  for (const segment of program.segments.filter((s) => one.segment && reaches(s, step))) {
    const change = await one.segment?.(segment);
    if (!change && segment.id === scene.segment.id) return undefined;
    if (change?.graph) segments.set(segment.id, { ...segment, graph: change.graph });
    for (const [name, tensor] of change?.weights ?? []) replaced.set(name, tensor);
  }
  const inputs = one.inputs ? one.inputs(program.inputs) : program.inputs;
  return {
    program: { ...program, inputs, segments: program.segments.map((s) => segments.get(s.id) ?? s) },
    weights: replaced,
  };
};

/** The fields of the config that steps change. */
const fieldsOf = (steps: readonly Step[]): JsonObject =>
  Object.assign({}, ...steps.map(({ one }) => one.fields ?? {})) as JsonObject;

/** The computation with other fields of the config beside those that were changed so far. @throws ModelError CONFIG_* */
export const remadeIn = (trial: Trial, fields: JsonObject): Program =>
  trial.make({ ...fieldsOf(trial.steps ?? []), ...fields });

/**
 * A model with the change of a try; undefined where it has no place in it. All that was carried out before is carried
 * out again, since another field of the config makes the whole computation anew.
 * @throws BugError GRAPH_INVALID
 */
export const tried = async (trial: Trial, step: Step): Promise<Trial | undefined> => {
  const steps = [...(trial.steps ?? []), step];
  const isMade = step.one.fields === undefined;
  let now: Changing | undefined = isMade
    ? { program: trial.program, weights: trial.variant.weights }
    : { program: trial.make(fieldsOf(steps)), weights: trial.variant.weights };
  for (const next of isMade ? [step] : steps) now = now && (await carriedOut(now, next));
  if (!now) return undefined;
  const { program, weights } = now;
  const order = trial.variant.order.flatMap(({ name, segment: { id } }) => {
    const segment = segmentOf(program, id);
    return segment ? [{ name, segment }] : [];
  });
  return { ...trial, program, steps, variant: { ...trial.variant, order, weights } };
};

/** The value of the scene's site where one segment alone runs, from what was handed to it. */
const valueHere = (trial: Trial, scene: Scene, { handed }: PassState): Promise<Tensor | undefined> =>
  withPass(trial, new Set([scene.site]), async (pass) => {
    const at = pass.instances.findIndex((i) => i.name === scene.segment.id);
    if (at < 0) return undefined;
    pass.restore({ at, handed });
    await pass.advance();
    return pass.sites.get(scene.site);
  });

/** A graph that does not fit together, that the engine refuses, or that reads weights which the model does not have. */
const isUnfit = (error: unknown): boolean =>
  error instanceof DebuggerError &&
  (error.info.code === 'GRAPH_INVALID' || error.info.code === 'ENGINE_FAILED' || error.blame === 'model');

/**
 * The scene's value as a try makes it; undefined where the try has no place there, or makes no model that fits together.
 */
export const tryValue = async (
  trial: Trial,
  { scene, one }: Pick<Step, 'scene' | 'one'>,
  state: PassState,
): Promise<Tensor | undefined> => {
  try {
    const changed = await tried(trial, { scene, one, reach: 'here' });
    return changed && (await valueHere(changed, scene, state));
  } catch (error) {
    if (isUnfit(error)) return undefined;
    throw error;
  }
};
