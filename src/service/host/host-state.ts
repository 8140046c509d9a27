import type { Target } from '../../debugger/index.js';
import type { HostInput, HostMethod, HostOutput, ModelInput } from '../../protocol/index.js';
import type { ModelPool } from '../model-pool.js';
import type { OperationContext } from '../operation.js';
import type { ValueArena } from './held.js';
import type { WeightCache } from './weight.js';

/** What the worker keeps from one request to the next. */
export interface HostState {
  readonly models: ModelPool;
  readonly arena: ValueArena;
  /** Models by the names that clients gave them. */
  readonly handles: Map<string, ModelInput>;
  /** Of each model the weight that was looked at last: a picture of it is many looks. */
  readonly weights: WeightCache;
  /** Captures so far, by run. */
  readonly revisions: Map<string, number>;
  /** Runs under the debugger, by name. */
  readonly debugged: Map<string, Target>;
}

/** A method's result; `payload`: raw bytes beside it. */
export interface Outcome<Output> {
  readonly output: Output;
  readonly payload?: Uint8Array<ArrayBuffer>;
}

/** What a method does; its input was checked. */
export type Handler<M extends HostMethod> = (
  input: HostInput<M>,
  context: OperationContext,
) => Promise<Outcome<HostOutput<M>>>;
export type Handlers = { readonly [M in WorkerMethod]: Handler<M> };
/** All methods but the one that the main thread answers. */
export type WorkerMethod = Exclude<HostMethod, 'ping'>;
