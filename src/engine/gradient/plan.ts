import { handedOn, readName, type GradientRequest, type RelevanceRules, type Segment } from '../../graph/index.js';
import { siteIn, type Instance } from '../run/order.js';
import type { Variant } from '../run/request.js';

/** What gradients are asked for, of a scalar of which is known what it reads. */
export interface Asked {
  readonly variant: Variant;
  /** Sites by their names in the run order, and weights by their names in the file. */
  readonly sites: ReadonlySet<string>;
  readonly weights: ReadonlySet<string>;
  /** What the scalar reads: sites, and scores. */
  readonly reads: ReadonlySet<string>;
  readonly readsScores: boolean;
  /** Relevance goes back in place of gradients. */
  readonly rules?: RelevanceRules;
}

/** The site that scores are. */
export const scoresSite = 'logits';

/** What one instance has to do on the way back. */
export interface Stage {
  readonly instance: Instance;
  readonly request: GradientRequest;
}

const ownSites = ({ segment }: Instance): readonly string[] => segment.graph.sites.map((s) => s.name);

const chosen = (instance: Instance, names: ReadonlySet<string>): readonly string[] =>
  ownSites(instance).filter((name) => names.has(siteIn(instance, name)));

const seedsIn = (instance: Instance, { reads, readsScores }: Asked): readonly string[] => {
  const scores = instance.segment.kind === 'head' && readsScores ? [scoresSite] : [];
  return [...new Set([...chosen(instance, reads), ...scores])];
};

const weightsIn = ({ segment }: Instance, { weights }: Asked): readonly string[] =>
  segment.graph.params.map((p) => p.name).filter((name) => weights.has(name));

const wantsIn = (instance: Instance, asked: Asked): boolean =>
  chosen(instance, asked.sites).length > 0 || weightsIn(instance, asked).length > 0;

/** The inputs of a segment that segments before it handed on. */
const receivedFrom = (segment: Segment, before: ReadonlySet<string>): readonly string[] =>
  segment.graph.inputs.map((i) => i.name).filter((name) => before.has(readName(segment, name)));

/**
 * The instances that gradients go back through, in the order of the run: from the first of which something is wanted to
 * the last that the scalar reads.
 */
export const stagesOf = (asked: Asked): readonly Stage[] => {
  const { order, gradients } = asked.variant;
  const first = order.findIndex((instance) => wantsIn(instance, asked));
  const last = order.findLastIndex((instance) => seedsIn(instance, asked).length > 0);
  if (first < 0) return [];
  const before = new Set<string>();
  return order.slice(first, last + 1).map((instance, i): Stage => {
    const { segment } = instance;
    const request: GradientRequest = {
      seeds: seedsIn(instance, asked),
      upstream: first + i < last ? handedOn(segment) : [],
      sites: chosen(instance, asked.sites),
      inputs: receivedFrom(segment, before),
      weights: weightsIn(instance, asked),
      edits: (gradients?.get(instance.name) ?? []).map((e) => e.edit),
      ...(asked.rules ? { rules: asked.rules } : {}),
    };
    for (const name of handedOn(segment)) before.add(name);
    return { instance, request };
  });
};
