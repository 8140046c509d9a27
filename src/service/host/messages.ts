import type { HostRequest, Notification, WireError } from '../../protocol/index.js';

/** Slot 0 is set to 1 to cancel: read between segments, while the worker takes no messages. */
export type CancelFlag = Int32Array<SharedArrayBuffer>;

export interface WorkerLimits {
  /** Bytes of weights that stay open. */
  readonly modelBytes: number;
  /** Bytes of values that are held for views. */
  readonly arenaBytes: number;
}

/** From the main thread to the worker. */
export type ToWorker =
  { readonly type: 'request'; readonly request: HostRequest; readonly flag: CancelFlag } | { readonly type: 'end' };

/** From the worker: one answer or error a request, and what is told before it. */
export type FromWorker =
  | { readonly type: 'ready' }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly result: unknown;
      readonly payload?: Uint8Array<ArrayBuffer> | undefined;
    }
  | { readonly type: 'error'; readonly id: number; readonly error: WireError }
  | Notification;
