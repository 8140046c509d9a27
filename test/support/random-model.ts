import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { JsonObject } from '../../src/base/index.js';
import type { Param } from '../../src/graph/index.js';
import { makeProgram } from '../../src/models/index.js';
import { sizeOf } from '../../src/tensor/index.js';

/** A small generator of numbers in [-1, 1): Marsaglia's xorshift32 (2003). */
const generator = (seed: number): (() => number) => {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
};

/** Weights as training starts from them: matrices small, gains around 1, biases around 0. */
const valuesOf = (param: Param, random: () => number): Float32Array => {
  const shape = param.type.shape.map(Number);
  const isGain = shape.length === 1 && param.name.endsWith('weight');
  const spread = shape.length === 1 ? 0.1 : Math.min(0.1, 1 / Math.sqrt(shape.at(-1) ?? 1));
  return Float32Array.from({ length: sizeOf(shape) }, () => (isGain ? 1 : 0) + spread * random());
};

const toBfloat16 = (values: Float32Array): Uint16Array => {
  const bits = new Uint32Array(values.buffer);
  return Uint16Array.from({ length: bits.length }, (_, i) => (bits[i] ?? 0) >>> 16);
};

export interface RandomModelOptions {
  readonly dtype?: 'F32' | 'BF16';
  readonly seed?: number;
}

const headerOf = (params: readonly Param[], dtype: 'F32' | 'BF16'): Uint8Array => {
  let offset = 0;
  const entries = params.map((p) => {
    const shape = p.type.shape.map(Number);
    const end = offset + sizeOf(shape) * (dtype === 'F32' ? 4 : 2);
    const entry = [p.name, { dtype, shape, data_offsets: [offset, end] }] as const;
    offset = end;
    return entry;
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(json, 8);
  return padded;
};

/**
 * Writes a model of a config with random weights, in Hugging Face layout. The tensors are those that the family asks
 * for, so any family can be written.
 * @returns the folder
 */
export const writeRandomModel = (folder: string, config: JsonObject, options: RandomModelOptions = {}): string => {
  const program = makeProgram(config, (name) => !/^(wte|layers\.)/.test(name));
  const params = [
    ...new Map(program.segments.flatMap((s) => s.graph.params.map((p) => [p.name, p] as const))).values(),
  ];
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config, null, 2));
  const dtype = options.dtype ?? 'F32';
  const file = openSync(path.join(folder, 'model.safetensors'), 'w');
  writeSync(file, headerOf(params, dtype));
  const random = generator(options.seed ?? 1);
  for (const param of params) {
    const values = valuesOf(param, random);
    writeSync(file, new Uint8Array(dtype === 'F32' ? values.buffer : toBfloat16(values).buffer));
  }
  closeSync(file);
  return folder;
};

/** GPT-2 small's size: 124 million parameters. */
export const gpt2SmallConfig: JsonObject = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  vocab_size: 50257,
  n_positions: 1024,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
  activation_function: 'gelu_new',
  layer_norm_epsilon: 1e-5,
};

/** Half a billion parameters, in the proportions of Qwen2-0.5B, as a Llama. */
export const llamaHalfBillionConfig: JsonObject = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 151936,
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
};
