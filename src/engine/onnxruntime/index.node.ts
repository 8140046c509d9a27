import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { EngineError, UsageError } from '../../base/index.js';
import { onnxruntimeBackend, type OnnxruntimeBackend } from './onnxruntime.js';
import type { Device, OnnxruntimeOptions } from './options.js';
import type { Ort } from './ort.js';
import { probe } from './probe.js';
import { keepFiles } from './storage.js';

export * from './index.js';

/**
 * Makes onnxruntime keep and send no usage events: its builds for Linux have since 1.30 a store of them in the user's
 * home, and an uploader. It looks at the environment when it is loaded; in a worker thread the environment is a copy
 * that it does not see, so who starts one calls this before.
 */
export const keepPrivate = (): void => {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
};

/**
 * For a process that is the engine's own, at its start: a heap may grow to four times what lives in it before V8
 * collects. Every output of onnxruntime counts as memory of the heap, and V8 would else mark a small one every few
 * megabytes, on a core that a product runs on: a fifth of a long sweep's time.
 */
export const collectLater = (): void => setFlagsFromString('--heap-growing-percent=300');

/** onnxruntime-node, loaded when first needed: it takes a tenth of a second. */
const loadOrt = (): Ort => {
  keepPrivate();
  return createRequire(import.meta.url)('onnxruntime-node') as Ort;
};

/** What to do where a device cannot be used. */
const advice: Readonly<Record<Device, string>> = {
  cpu: 'Run without --device.',
  webgpu: 'WebGPU needs a GPU with a Vulkan, Metal or Direct3D 12 driver; run with --device cpu.',
  cuda: 'CUDA needs an NVIDIA GPU, CUDA 12 and its libraries for onnxruntime: see docs/errors/DEVICE_UNAVAILABLE.md; or run with --device cpu.',
};

/**
 * onnxruntime in this process.
 * @throws UsageError OPTION_INVALID for a device that does not exist
 * @throws EngineError DEVICE_UNAVAILABLE where the device cannot be used
 */
export const makeOnnxruntime = async (options: OnnxruntimeOptions): Promise<OnnxruntimeBackend> => {
  if (!Object.hasOwn(advice, options.device))
    throw new UsageError(`there is no device ${JSON.stringify(options.device)}`, {
      code: 'OPTION_INVALID',
      hint: `Devices are ${Object.keys(advice).join(', ')}.`,
    });
  const backend = onnxruntimeBackend({ name: 'onnxruntime', ort: loadOrt(), keep: keepFiles }, options);
  if (options.device === 'cpu') return backend;
  await probe(backend).catch((cause: unknown) => {
    throw new EngineError(`the device ${options.device} cannot be used here`, {
      code: 'DEVICE_UNAVAILABLE',
      hint: advice[options.device],
      cause,
    });
  });
  return backend;
};
