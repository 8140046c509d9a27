import { UsageError } from '../../base/index.js';
import { hostMethods, packBoard, type OpenInput } from '../../protocol/index.js';
import type { Arena } from '../../tensor/index.js';
import type { OperationContext } from '../operation.js';
import { attack } from '../operations/attack.js';
import { attribute } from '../operations/attribute.js';
import { circuit } from '../operations/circuit.js';
import { compare } from '../operations/compare.js';
import { diff } from '../operations/diff.js';
import { components } from '../operations/components.js';
import { composition } from '../operations/composition.js';
import { head } from '../operations/head.js';
import { heads } from '../operations/heads.js';
import { inspect } from '../operations/inspect.js';
import { knockout } from '../operations/knockout.js';
import { lens } from '../operations/lens.js';
import { list } from '../operations/list.js';
import { patch } from '../operations/patch.js';
import { neurons } from '../operations/neurons.js';
import { run } from '../operations/run.js';
import { tokenize } from '../operations/tokenize.js';
import { tour } from '../operations/tour.js';
import { modelKey, withModel } from '../with-model.js';
import { attentionInto } from './attention.js';
import { captureInto } from './capture.js';
import { makeDebugHandlers } from './debug-methods.js';
import { dropRun, heldAt, type HeldValue } from './held.js';
import type { Handler, Handlers, HostState, Outcome, WorkerMethod } from './host-state.js';
import { times } from './times.js';
import { viewOf } from './view.js';
import { viewWeight } from './weight.js';
import { writes } from './writes.js';

const plain =
  <Input, Output>(operation: { run(input: Input, context: OperationContext): Promise<Output> }) =>
  async (input: Input, context: OperationContext): Promise<Outcome<Output>> => ({
    output: await operation.run(input, context),
  });

const heldIn = (store: Pick<Arena<HeldValue>, 'bytes' | 'size' | 'limitBytes'>) => ({
  bytes: store.bytes,
  limit: store.limitBytes,
  entries: store.size,
});

const open = async (state: HostState, input: OpenInput, context: OperationContext) => {
  const { handle, lazy, ...model } = input;
  if (lazy) {
    state.handles.set(handle, model);
    return { output: { handle, notes: [] } };
  }
  return withModel(model, { context }, async (opened) => {
    const summary = await opened.summary();
    state.handles.set(handle, model);
    return { output: { handle, model: summary, notes: [...opened.notes] } };
  });
};

const close = async ({ handles, models }: HostState, handle: string) => {
  const model = handles.get(handle);
  handles.delete(handle);
  const shared = model && [...handles.values()].some((other) => modelKey(other) === modelKey(model));
  if (model && !shared) await models.close((key) => key === modelKey(model));
  return { output: {} };
};

/** What tells of a model's parts. */
const ofParts = {
  components: plain(components),
  composition: plain(composition),
  head: plain(head),
  heads: plain(heads),
  neurons: plain(neurons),
  times: plain({ run: times }),
  writes: plain({ run: writes }),
};

/** What the worker does for each method. */
export const makeHandlers = (state: HostState): Handlers => ({
  status: async () => ({
    // pid and pending are the main thread's, which puts them in
    output: { pid: 0, pending: 0, models: heldIn(state.models), arena: heldIn(state.arena) },
  }),
  open: (input, context) => open(state, input, context),
  close: ({ handle }) => close(state, handle),
  capture: async (input, context) => ({ output: await captureInto(state, input, context) }),
  attention: async (input, context) => ({ output: await attentionInto(state, input, context) }),
  drop: async ({ run }) => ({ output: { bytes: dropRun(state.arena, run) } }),
  view: async (input) => {
    const minus = input.minus && heldAt(state.arena, input.minus);
    const { result, payload } = viewOf(heldAt(state.arena, input.at), input, minus);
    return { output: result, ...(payload ? { payload } : {}) };
  },
  weight: async (input, context) => {
    const { result, payload } = await viewWeight(input, context, state.weights);
    return { output: result, ...(payload ? { payload } : {}) };
  },
  run: plain(run),
  inspect: plain(inspect),
  lens: plain(lens),
  board: async (input, context) => {
    const { result, payload } = packBoard(await lens.run(input, context));
    return { output: result, payload };
  },
  compare: plain(compare),
  diff: plain(diff),
  knockout: plain(knockout),
  ...ofParts,
  attribute: plain(attribute),
  attack: plain(attack),
  circuit: plain(circuit),
  patch: plain(patch),
  list: plain(list),
  tokenize: plain(tokenize),
  tour: plain(tour),
  ...makeDebugHandlers(state),
});

const unknownMethod = (method: string): UsageError =>
  new UsageError(`there is no method ${method.slice(0, 100)}`, {
    code: 'MESSAGE_INVALID',
    hint: `The methods are ${Object.keys(hostMethods).join(', ')}.`,
  });

const isWorkerMethod = (method: string): method is WorkerMethod =>
  method !== 'ping' && Object.hasOwn(hostMethods, method);

/** A request's params, with the model of its handle. @throws UsageError OPTION_INVALID */
const withHandle = ({ handles }: HostState, params: unknown, handle: string | undefined): unknown => {
  if (handle === undefined || typeof params !== 'object') return params;
  const model = handles.get(handle);
  if (model) return { ...params, ...model };
  throw new UsageError(`no model is open as ${handle}`, { code: 'OPTION_INVALID', hint: 'Open one under this name.' });
};

/** Checks a request's params and does what it asks. @throws UsageError OPTION_INVALID, MESSAGE_INVALID, and the method's own */
export const makeDispatch = (state: HostState) => {
  const handlers = makeHandlers(state);
  const handle = async (
    method: WorkerMethod,
    params: unknown,
    context: OperationContext,
  ): Promise<Outcome<unknown>> => {
    const parsed = hostMethods[method].input.safeParse(params);
    // The schema and the handler are of one method, which the compiler cannot follow.
    if (parsed.success) return (handlers[method] as Handler<WorkerMethod>)(parsed.data, context);
    const issue = parsed.error.issues[0];
    throw new UsageError(`${[method, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'invalid'}`, {
      code: 'OPTION_INVALID',
      hint: 'See docs/host.md for what each method takes.',
    });
  };
  return async (
    request: { readonly method: string; readonly params?: unknown; readonly handle?: string | undefined },
    context: OperationContext,
  ): Promise<Outcome<unknown>> => {
    if (!isWorkerMethod(request.method)) throw unknownMethod(request.method);
    return handle(request.method, withHandle(state, request.params, request.handle), context);
  };
};
