import type * as OnnxruntimeWeb from 'onnxruntime-web';
import { EngineError, UsageError } from '../../base/index.js';
import { onnxruntimeBackend, type OnnxruntimeBackend } from './onnxruntime.js';
import type { Binding } from './options.js';
import type { Ort, OrtSession } from './ort.js';
import { probe } from './probe.js';
import { keepBytes } from './storage.js';

export * from './index.js';

/** onnxruntime-web, in the build that the page chose: `onnxruntime-web/wasm`, or `onnxruntime-web/webgpu` for both devices. */
export type WebOrt = Pick<typeof OnnxruntimeWeb, 'env' | 'InferenceSession' | 'Tensor'>;

export interface BrowserOptions {
  readonly device: 'cpu' | 'webgpu';
  /** `packed` by default. Nothing can be mapped: a page has no files. */
  readonly binding?: Exclude<Binding, 'mapped'>;
  /**
   * Threads of one operation; onnxruntime's own choice by default. More than one needs a page that is isolated from
   * other origins. Counts for the whole page, and only before its first session.
   */
  readonly threads?: number;
  /** Where onnxruntime's `.wasm` files are served, with a slash at its end; beside its script by default. */
  readonly assets?: string;
}

/** What a page has and Node has not, as far as it is looked at. */
interface Page {
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly gpu?: { requestAdapter(): Promise<object | null> } };
}
const page = globalThis as Page;

const wrongOption = (what: string, hint: string): UsageError => new UsageError(what, { code: 'OPTION_INVALID', hint });

const checkOptions = ({ device, threads = 1 }: BrowserOptions): void => {
  if (!['cpu', 'webgpu'].includes(device))
    throw wrongOption(`there is no device ${JSON.stringify(device)} in a browser`, 'Devices are cpu and webgpu.');
  if (!Number.isSafeInteger(threads) || threads < 1)
    throw wrongOption(`there cannot be ${threads} threads`, 'Give a whole number from 1.');
  if (threads > 1 && page.crossOriginIsolated !== true)
    throw wrongOption(
      `this page cannot have ${threads} threads`,
      'Serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    );
};

const unavailable = (device: string, hint: string, cause?: unknown): EngineError =>
  new EngineError(`the device ${device} cannot be used in this page`, {
    code: 'DEVICE_UNAVAILABLE',
    hint,
    cause,
    details: { onnxruntime: cause instanceof Error ? cause.message : null },
  });

const advice: Readonly<Record<BrowserOptions['device'], string>> = {
  cpu: 'See in the browser’s console that the .wasm file of onnxruntime-web was found; `assets` says where it is served.',
  webgpu:
    'WebGPU needs a browser and a GPU that have it, and the build onnxruntime-web/webgpu; or take the device cpu.',
};

/**
 * onnxruntime that does one thing after the other. Its WebAssembly has one stack and one place for the bytes that a
 * session is given, and holds on to both while it waits: two calls at once give wrong numbers, or a crash.
 */
const inTurn = (ort: Ort): Ort => {
  let last: Promise<unknown> = Promise.resolve();
  const turn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.then(act);
    last = done.catch(() => undefined);
    return done;
  };
  const orderly = (session: OrtSession): OrtSession => ({
    run: (feeds, fetches) => turn(() => session.run(feeds, fetches)),
    release: () => turn(() => session.release()),
  });
  const create: Ort['InferenceSession']['create'] = (bytes, options) =>
    turn(() => ort.InferenceSession.create(bytes, options)).then(orderly);
  return { InferenceSession: { create }, Tensor: ort.Tensor };
};

/** Several models of a page share its onnxruntime, and so its turns. */
const turns = new WeakMap<object, Ort>();
const turnsOf = (ort: Ort): Ort => {
  const known = turns.get(ort.InferenceSession) ?? inTurn(ort);
  turns.set(ort.InferenceSession, known);
  return known;
};

/**
 * onnxruntime in a browser's page or worker. Its script is the page's to load: `import * as ort from 'onnxruntime-web/wasm'`.
 * @throws UsageError OPTION_INVALID
 * @throws EngineError DEVICE_UNAVAILABLE where its WebAssembly does not load, or the page has no GPU
 */
export const makeOnnxruntimeWeb = async (ort: WebOrt, options: BrowserOptions): Promise<OnnxruntimeBackend> => {
  checkOptions(options);
  const { device, binding = 'packed', threads, assets } = options;
  if (device === 'webgpu' && !(await page.navigator?.gpu?.requestAdapter()))
    throw unavailable(device, advice[device], new Error('the page has no GPU adapter'));
  if (threads !== undefined) ort.env.wasm.numThreads = threads;
  if (assets !== undefined) ort.env.wasm.wasmPaths = assets;
  const runtime = { name: 'onnxruntime-web', ort: turnsOf(ort), keep: keepBytes };
  const backend = onnxruntimeBackend(runtime, { device, binding });
  await probe(backend).catch((cause: unknown) => {
    throw unavailable(device, advice[device], cause);
  });
  return backend;
};
