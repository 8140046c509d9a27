/** The entry of the host's worker thread: the one that owns onnxruntime. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { bug, EngineError } from '../../base/index.js';
import { toWireError, type HostRequest } from '../../protocol/index.js';
import { Arena } from '../../tensor/index.js';
import { ModelPool } from '../model-pool.js';
import type { OperationContext } from '../operation.js';
import type { HeldValue } from './held.js';
import type { CancelFlag, FromWorker, ToWorker, WorkerLimits } from './messages.js';
import type { HostState } from './host-state.js';
import { makeDispatch } from './methods.js';

const post = (port: MessagePort, message: FromWorker): void => {
  const payload = message.type === 'answer' ? message.payload : undefined;
  port.postMessage(message, payload ? [payload.buffer] : []);
};

const isCancelled = (flag: CancelFlag): boolean => Atomics.load(flag, 0) !== 0;

/** What a request's work may use: all that it tells goes to the main thread. */
const contextOf = (port: MessagePort, { id, flag, state }: { id: number; flag: CancelFlag; state: HostState }) => {
  const controller = new AbortController();
  const context: OperationContext = {
    signal: controller.signal,
    poll: () => {
      if (isCancelled(flag)) controller.abort();
    },
    models: state.models,
    note: (text) => post(port, { type: 'note', id, text }),
    stream: (text) => post(port, { type: 'text', id, text }),
    told: (told) => post(port, { type: 'told', id, told }),
    progress: (part) => post(port, { type: 'progress', id, ...part }),
  };
  return context;
};

const serve = (port: MessagePort, limits: WorkerLimits): void => {
  const state: HostState = {
    models: new ModelPool(limits.modelBytes),
    arena: new Arena<HeldValue>(limits.arenaBytes),
    handles: new Map(),
    weights: new WeakMap(),
    revisions: new Map(),
    debugged: new Map(),
  };
  const dispatch = makeDispatch(state);
  const answer = async (request: HostRequest, flag: CancelFlag): Promise<FromWorker> => {
    const { id } = request;
    try {
      if (isCancelled(flag))
        throw new EngineError('cancelled', { code: 'CANCELLED', hint: 'A newer request took its place.' });
      const { output, payload } = await dispatch(request, contextOf(port, { id, flag, state }));
      return { type: 'answer', id, result: output, payload };
    } catch (error) {
      return { type: 'error', id, error: toWireError(error) };
    }
  };
  const end = async (): Promise<void> => {
    state.arena.clear();
    for (const target of state.debugged.values()) await target.dispose();
    await state.models.close();
    port.close();
  };
  port.on('message', (message: ToWorker) => {
    if (message.type === 'end') void end();
    else void answer(message.request, message.flag).then((told) => post(port, told));
  });
  post(port, { type: 'ready' });
};

if (!parentPort) throw bug('this is the entry of a worker thread');
serve(parentPort, workerData as WorkerLimits);
