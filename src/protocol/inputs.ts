import { z } from 'zod';

/** What the model is given: one of a text, token ids, or a file of texts. An encoder-decoder's encoder reads it. */
export const promptInput = z.object({
  prompt: z.string().optional(),
  ids: z.array(z.int()).optional(),
  /** JSON lines: a string or an object with `prompt` or `ids`, and maybe `target` or `targetIds`, a line. */
  prompts: z.string().optional(),
  /** A file with a conversation as JSON, written out by the model's chat template. */
  chat: z.string().optional(),
  /** The conversation itself: messages, each with a `role` and what else the template reads of it, such as `content`. */
  messages: z.array(z.looseObject({ role: z.string() })).optional(),
  /** What an encoder-decoder's decoder begins with after its start token: a text, or token ids. */
  target: z.string().optional(),
  targetIds: z.array(z.int()).optional(),
});
export type PromptInput = z.infer<typeof promptInput>;

/** A folder, a GGUF file, or a model of the zoo by name, which is also what is meant where none is given. */
export const modelName = z.string().default('zoo:world');

/** Which model, and where it runs. */
export const modelInput = z.object({
  model: modelName,
  device: z.enum(['cpu', 'webgpu', 'cuda']).default('cpu'),
  /** `onnxruntime` at the machine's speed, or the plain `reference` engine, in float32 or float64. */
  engine: z.enum(['onnxruntime', 'reference', 'reference64']).default('onnxruntime'),
  binding: z.enum(['packed', 'apart', 'inputs', 'mapped']).optional(),
  threads: z.int().min(1).max(1024).optional(),
});
export type ModelInput = z.infer<typeof modelInput>;

/** Of what also works on a live process, `HOST:PORT` in the place of a model. */
export const liveInput = z.object({
  /** What the process printed; a debugger must know it. */
  token: z.string().optional(),
});

/** Changes to the model, in the order in which they apply: lines of the edit language, or a file of them. */
export const editInput = z.object({
  edits: z.array(z.union([z.object({ text: z.string() }), z.object({ file: z.string() })])).default([]),
});
export type EditInput = z.infer<typeof editInput>;

export const generationInput = z.object({
  maxNewTokens: z.int().min(0).optional(),
  temperature: z.number().optional(),
  topK: z.int().optional(),
  topP: z.number().optional(),
  minP: z.number().optional(),
  repetitionPenalty: z.number().optional(),
  seed: z.int().optional(),
  ignoreEos: z.boolean().default(false),
});
export type GenerationInput = z.infer<typeof generationInput>;

/** Saving a run as a recording. */
export const recordInput = z.object({
  /** Where to write it; a file that is there is replaced at the end, whole. */
  record: z.string().min(1).optional(),
  /** Leave texts, token ids and the experiment out of it. */
  redact: z.boolean().default(false),
  /** Run the prompt, the edits and the sampling of a recording; edits that are given come on top. */
  fromRecording: z.string().min(1).optional(),
  /** Though the recording is of another model. */
  force: z.boolean().default(false),
});
export type RecordInput = z.infer<typeof recordInput>;
