import type { GraphBuilder, Value } from './builder.js';
import type { ValueType } from './value.js';

/** A place in the model while its graph is built: names of sites and nodes are relative to it. */
export interface Scope {
  /** `blocks.3.attn`; empty at the top. */
  readonly path: string;
  /** Where the weights of this place are in the file: `h.3.attn.`. */
  readonly weights: string;
  readonly builder: GraphBuilder;
}

export const topScope = (builder: GraphBuilder, path: string, weights: string): Scope => ({ path, weights, builder });

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** A scope inside another; weights keep their place unless another is given, relative to it. */
export const inner = (scope: Scope, name: string, weights = ''): Scope => ({
  path: join(scope.path, name),
  weights: scope.weights + weights,
  builder: scope.builder,
});

/** Builds with the scope noted on each node. */
export const building = <T>(scope: Scope, build: () => T): T => scope.builder.within(scope.path, build);

/** Names a value as a site of this place. */
export const site = (scope: Scope, name: string, value: Value): Value =>
  scope.builder.site(join(scope.path, name), value);

/** A site that is only computed when asked for by its name: the summands, along `axis`, of `whole`. */
export const summands = (
  scope: Scope,
  name: string,
  { value, whole, axis }: { readonly value: Value; readonly whole: Value; readonly axis: number },
): Value => scope.builder.siteOnRequest(join(scope.path, name), value, { value: whole, axis });

/** The form that a weight must have in the file. */
export interface WeightShape {
  readonly shape: readonly number[];
  readonly axes: readonly string[];
}

/** A weight of this place, with the shape the file must have. */
export const weight = (scope: Scope, name: string, { shape, axes }: WeightShape): Value =>
  scope.builder.param(scope.weights + name, shape, axes);

/** A value given at each run. */
export const input = (scope: Scope, name: string, type: ValueType): Value => scope.builder.input(name, type);
