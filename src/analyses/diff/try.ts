import { BugError, DebuggerError } from '../../base/index.js';
import {
  Compilations,
  Pass,
  runOrder,
  type Backend,
  type PassState,
  type Prompt,
  type Variant,
} from '../../engine/index.js';
import type { Weights } from '../../formats/index.js';
import type { Program, Segment } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Scene, Try } from './mistakes/index.js';

/** A model in which mistakes can be tried. */
export interface Trial {
  readonly program: Program;
  readonly weights: Weights;
  readonly backend: Backend;
  readonly variant: Variant;
  readonly prompt: Prompt;
  readonly onSegment?: (name: string) => void | Promise<void>;
}

/** Where the change of a try is made: in the segment that differs, or in every one that is built alike. */
export type Reach = 'here' | 'everywhere';

/** A pass over the prompt that captures sites, with nothing compiled yet. */
const passOf = (trial: Trial, compilations: Compilations, capture: ReadonlySet<string>): Pass =>
  new Pass(trial.program, compilations, {
    ...{ variant: trial.variant, ids: [trial.prompt.ids], capture, logits: 'none' },
    ...(trial.prompt.source ? { source: [trial.prompt.source.ids] } : {}),
    ...(trial.onSegment ? { onSegment: trial.onSegment } : {}),
  });

/** What runs with its own compiled segments, which are dropped behind it. */
const withPass = async <Result>(
  trial: Trial,
  capture: ReadonlySet<string>,
  work: (pass: Pass) => Promise<Result>,
): Promise<Result> => {
  const compilations = new Compilations(trial.backend, trial.weights);
  try {
    return await work(passOf(trial, compilations, capture));
  } finally {
    await compilations.dispose();
  }
};

/** Values of sites on the prompt. */
export const valuesIn = (trial: Trial, sites: Iterable<string>): Promise<ReadonlyMap<string, Tensor>> =>
  withPass(trial, new Set(sites), async (pass) => (await pass.run()).sites);

/** What was handed on when a segment is about to run. */
export const stateBefore = (trial: Trial, segment: string): Promise<PassState | undefined> =>
  withPass(trial, new Set(), async (pass) => {
    while (pass.next && pass.next.name !== segment) await pass.advance();
    return pass.next && pass.state;
  });

const segmentOf = (program: Program, id: string): Segment | undefined => program.segments.find((s) => s.id === id);

/** A model with the change of a try; undefined where it has no place in it. @throws BugError GRAPH_INVALID */
export const tried = async (trial: Trial, scene: Scene, one: Try, reach: Reach): Promise<Trial | undefined> => {
  const base = one.program ?? trial.program;
  const weights = new Map(trial.variant.weights);
  const changed = new Map<string, Segment>();
  for (const segment of one.segment ? base.segments : []) {
    if (reach === 'here' && segment.id !== scene.segment.id) continue;
    if (segment.kind !== scene.segment.kind || segment.stack !== scene.segment.stack) continue;
    const change = await one.segment?.(segment);
    if (change?.graph) changed.set(segment.id, { ...segment, graph: change.graph });
    for (const [name, tensor] of change?.weights ?? []) weights.set(name, tensor);
    if (!change && segment.id === scene.segment.id) return undefined;
  }
  const segments = base.segments.map((s) => changed.get(s.id) ?? s);
  const program = { ...base, segments, inputs: one.inputs ?? base.inputs };
  const order = trial.variant.order.flatMap(({ name, segment: { id } }) => {
    const segment = segmentOf(program, id);
    return segment ? [{ name, segment }] : [];
  });
  return { ...trial, program, variant: { ...trial.variant, order, weights } };
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

/**
 * The scene's value as a try makes it; undefined where the try has no place there, or makes no model that fits together.
 */
export const tryValue = async (trial: Trial, scene: Scene, one: Try, state: PassState): Promise<Tensor | undefined> => {
  try {
    const changed = await tried(trial, scene, one, 'here');
    return changed && (await valueHere(changed, scene, state));
  } catch (error) {
    const isUnfit = error instanceof BugError && error.info.code === 'GRAPH_INVALID';
    const isRefused = error instanceof DebuggerError && error.info.code === 'ENGINE_FAILED';
    if (isUnfit || isRefused) return undefined;
    throw error;
  }
};

/** The model as it is, without changes to the run order. */
export const plainOrder = (program: Program): Variant['order'] => runOrder(program, []);
