import {
  DebuggerError,
  makeMemoryWeights,
  makeOnnxruntimeWeb,
  type BrowserOptions,
  type JsonObject,
  type WebOrt,
} from '../../../src/index.browser.js';
import { exercise, type Exercise, type Outcome } from './exercise.js';

/** What the test asks of the page. `build`: `wasm` or `webgpu`; `model`: a folder that the server gives out. */
export interface PageRequest {
  readonly build: string;
  readonly model: string;
  readonly options: BrowserOptions;
  readonly exercise: Exercise;
}

export type PageAnswer =
  | { readonly outcome: Outcome; readonly sessionsMade: number }
  | { readonly error: { readonly code: string; readonly message: string; readonly cause: string } };

const fetched = async (path: string): Promise<Response> => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
};

const answer = async ({ build, model, options, exercise: asked }: PageRequest): Promise<PageAnswer> => {
  const ort = (await import(`/ort/ort.${build}.bundle.min.mjs`)) as WebOrt;
  const config = (await (await fetched(`/models/${model}/config.json`)).json()) as JsonObject;
  const name = 'model.safetensors';
  const bytes = new Uint8Array(await (await fetched(`/models/${model}/${name}`)).arrayBuffer());
  const weights = makeMemoryWeights([{ name, bytes }]);
  const backend = await makeOnnxruntimeWeb(ort, options);
  const outcome = await exercise({ config, weights, backend }, asked);
  const { sessionsMade } = backend;
  await backend.dispose();
  return { outcome, sessionsMade };
};

const failure = (error: unknown): PageAnswer => {
  if (!(error instanceof DebuggerError)) throw error;
  const { code, details } = error.info;
  return { error: { code, message: error.message, cause: JSON.stringify(details ?? {}) } };
};

/** Where the test finds it. */
const answering = (request: PageRequest): Promise<PageAnswer> => answer(request).catch(failure);
Object.assign(globalThis, { answering });
