import { ModelError, type JsonObject } from '../../base/index.js';
import { sizeOf } from '../../tensor/index.js';
import { architectures, type Architecture } from './architectures.js';
import { dequantize, isReadable, unreadableType } from './dequantize.js';
import type { GgufFile, GgufMetadata, GgufSource, GgufTensor } from './gguf.js';
import { ArchitectureKeys } from './keys.js';
import type { Layout, MappedTensor } from './layout.js';
import { huggingFaceName } from './names.js';
import type { RopeFactors } from './rope.js';
import { specialId } from './special-id.js';

/** A GGUF file's model in Hugging Face's words. */
export interface GgufModel {
  /** config.json. */
  readonly config: JsonObject;
  readonly tensors: readonly MappedTensor[];
}

const unknown = (what: string): ModelError =>
  new ModelError(what, {
    code: 'FAMILY_UNKNOWN',
    hint: `GGUF files of these architectures are read: ${[...architectures.keys()].join(', ')}.`,
  });

const architectureOf = (file: GgufFile, name: string): readonly [string, Architecture] => {
  const called = file.metadata.get('general.architecture');
  if (typeof called !== 'string') throw unknown(`${name} has no general.architecture in its metadata`);
  const architecture = architectures.get(called);
  if (!architecture) throw unknown(`${name} is of architecture ${JSON.stringify(called)}, which is not supported`);
  return [called, architecture];
};

/** More numbers than any head has. */
const mostFactors = 65_536;

/** A small vector that belongs to the config. */
const readVector = async (source: GgufSource, name: string, tensor: GgufTensor | undefined) => {
  if (!tensor) return undefined;
  if (!isReadable(tensor.type)) throw unreadableType(source.name, name, tensor.type);
  if (sizeOf(tensor.shape) > mostFactors)
    throw new ModelError(
      `${source.name}: tensor ${name} has shape [${tensor.shape.join(', ')}], no vector of factors`,
      {
        code: 'TENSOR_SHAPE',
        hint: 'The file is damaged: take it anew.',
        details: { name },
      },
    );
  return [...dequantize(tensor.type, await source.read(tensor.offset, tensor.length))];
};

const readFactors = async (source: GgufSource, file: GgufFile): Promise<RopeFactors> => {
  const read = (name: string) => readVector(source, name, file.tensors.get(name));
  const all = await read('rope_freqs.weight');
  const [short, long] = [await read('rope_factors_short.weight'), await read('rope_factors_long.weight')];
  return { ...(all ? { all } : {}), ...(short && long ? { short, long } : {}) };
};

/** Ids of special tokens, where the metadata names any. */
const specialIds = (metadata: GgufMetadata, vocab: number): JsonObject => {
  const bos = specialId(metadata, 'bos', vocab);
  const ends = ['eos', 'eot', 'eom'].flatMap((role) => specialId(metadata, role, vocab) ?? []);
  const [end, ...more] = new Set(ends);
  return {
    ...(bos === undefined ? {} : { bos_token_id: bos }),
    ...(end === undefined ? {} : { eos_token_id: more.length === 0 ? end : [end, ...more] }),
  };
};

const isConfig = (name: string): boolean => /^rope_(freqs|factors_short|factors_long)\.weight$/.test(name);

const checkHeads = (source: GgufSource, { name, stored, layout }: MappedTensor): void => {
  if (layout.kind !== 'heads' || (stored.shape[0] ?? 0) % (2 * layout.heads) === 0) return;
  throw new ModelError(`${source.name}: ${name} has ${stored.shape[0] ?? 0} rows for ${layout.heads} heads`, {
    code: 'TENSOR_SHAPE',
    hint: 'The metadata and the tensors do not belong together: take the file anew.',
    details: { name, heads: layout.heads },
  });
};

const mapTensors = (
  source: GgufSource,
  file: GgufFile,
  place: { architecture: Architecture; keys: ArchitectureKeys },
): MappedTensor[] => {
  const { architecture, keys } = place;
  const mapped: MappedTensor[] = [];
  const others: MappedTensor[] = [];
  for (const [name, stored] of file.tensors) {
    if (isConfig(name)) continue;
    const own = huggingFaceName(name, architecture.names);
    if (own === undefined) others.push({ name, stored, layout: { kind: 'plain' } satisfies Layout });
    else {
      if (!isReadable(stored.type)) throw unreadableType(source.name, name, stored.type);
      const tensor: MappedTensor = { name: own, stored, layout: architecture.layout(name, keys) };
      checkHeads(source, tensor);
      mapped.push(tensor);
    }
  }
  const taken = new Set(mapped.map((t) => t.name));
  return [...mapped, ...others.filter((t) => !taken.has(t.name))];
};

/** A vocabulary alone, an adapter, a part of a split file: nothing that can be run. */
const checkWhole = (file: GgufFile, name: string): number => {
  const split = file.metadata.get('split.count');
  if (typeof split === 'number' && split > 1)
    throw new ModelError(`${name} is one of ${split} parts of a model`, {
      code: 'TENSOR_MISSING',
      hint: 'Join the parts with llama.cpp: llama-gguf-split --merge FIRST-PART OUT.gguf',
    });
  const vocab = file.tensors.get('token_embd.weight')?.shape[0];
  if (vocab !== undefined) return vocab;
  const what =
    file.tensors.size === 0 ? 'holds no tensors: it is a vocabulary alone' : 'has no tensor token_embd.weight';
  throw new ModelError(`${name} ${what}`, {
    code: 'TENSOR_MISSING',
    hint: 'Give a GGUF file that holds a whole model; `cutaway tokenize` takes a vocabulary alone.',
    details: { name: 'token_embd.weight' },
  });
};

/**
 * Config and tensors of a GGUF file as Hugging Face has them.
 * @throws ModelError FAMILY_UNKNOWN, CONFIG_FIELD_MISSING, CONFIG_INVALID, CONFIG_FIELD_UNSUPPORTED, TENSOR_MISSING, TENSOR_SHAPE, TENSOR_DTYPE
 */
export const toHuggingFace = async (source: GgufSource, file: GgufFile): Promise<GgufModel> => {
  const [called, architecture] = architectureOf(file, source.name);
  const vocab = checkWhole(file, source.name);
  const keys = new ArchitectureKeys(file.metadata, called, source.name);
  const factors = await readFactors(source, file);
  const config = architecture.config({ keys, tensors: file.tensors, factors });
  const tensors = mapTensors(source, file, { architecture, keys });
  keys.expect('attention.causal', true);
  keys.finish();
  return { config: { ...config, vocab_size: vocab, ...specialIds(file.metadata, vocab) }, tensors };
};
