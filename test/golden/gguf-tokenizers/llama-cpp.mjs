/**
 * Writes `llama-cpp.json`: the ids of `texts.json` by llama.cpp, once for each name of a pre-tokenizer.
 *
 *     npm install --prefix FOLDER --ignore-scripts node-llama-cpp@3.22.1
 *     node test/golden/gguf-tokenizers/llama-cpp.mjs FOLDER
 *
 * The vocabularies are written as GGUF files into FOLDER. Names with equal ids share one entry.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const here = import.meta.dirname;
const folder = path.resolve(process.argv[2] ?? '.');
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const { plain } = readJson(path.join(here, 'texts.json'));
const vocabularies = readJson(path.join(here, 'vocabularies.json'));

/** Names that llama.cpp reads as the families' own patterns read these texts, one line a pattern. */
const bytes = `default
  gpt-2 phi-2 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe gigachat a.x-4.0 mellum
  modern-bert exaone4 mpt olmo jais trillion granite-docling
  starcoder refact command-r smollm codeshell exaone minerva-7b mellum2
  falcon
  llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano
  dbrx smaug-bpe glm4 chatglm-bpe
  jais-2
  qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2
  laguna qwen35 ufakzeka minicpm5 seed-coder
  bailingmoe bailingmoe2 llada-moe
  exaone-moe deepseek-v3 hunyuan-dense joyai-llm hy_v4 spark2_5 superbpe deepseek-llm deepseek-coder
  bloom poro-chat gpt3-finnish viking chameleon`.split(/\s+/);
const spaces = ['gemma4', 'granite-embed-multi-311m', 'sarvam-moe'];

const u32 = (value) => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
};
const u64 = (value) => Buffer.concat([u32(value), u32(0)]);
const text = (value) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const typed = {
  text: (value) => [u32(8), text(value)],
  u32: (value) => [u32(4), u32(value)],
  texts: (values) => [u32(9), u32(8), u64(values.length), ...values.map(text)],
  i32s: (values) => [u32(9), u32(5), u64(values.length), ...values.map(u32)],
};
/** A GGUF file without tensors. */
const gguf = (fields) =>
  Buffer.concat([
    ...[Buffer.from('GGUF'), u32(3), u64(0), u64(fields.length)],
    ...fields.flatMap(([key, type, value]) => [text(key), ...typed[type](value)]),
  ]);

const model = (pre, { tokens, merges, types }) =>
  gguf([
    ['general.architecture', 'text', 'llama'],
    ['llama.block_count', 'u32', 1],
    ['llama.context_length', 'u32', 8],
    ['llama.embedding_length', 'u32', 8],
    ['llama.feed_forward_length', 'u32', 8],
    ['llama.attention.head_count', 'u32', 1],
    ['tokenizer.ggml.model', 'text', 'gpt2'],
    ['tokenizer.ggml.pre', 'text', pre],
    ['tokenizer.ggml.tokens', 'texts', tokens],
    ['tokenizer.ggml.token_type', 'i32s', types],
    ['tokenizer.ggml.merges', 'texts', merges],
    ['tokenizer.ggml.bos_token_id', 'u32', 0],
    ['tokenizer.ggml.eos_token_id', 'u32', 1],
  ]);

const entry = createRequire(path.join(folder, 'package.json')).resolve('node-llama-cpp');
const { getLlama } = await import(pathToFileURL(entry).href);
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'disabled' });
const names = [...bytes.map((name) => [name, 'bytes']), ...spaces.map((name) => [name, 'spaces'])];
const groups = new Map();
for (const [name, kind] of names) {
  const file = path.join(folder, 'vocabulary.gguf');
  writeFileSync(file, model(name, vocabularies[kind]));
  const loaded = await llama.loadModel({ modelPath: file, vocabOnly: true });
  const ids = plain.map((each) => Array.from(loaded.tokenize(each, false)));
  await loaded.dispose();
  const key = JSON.stringify(ids);
  groups.set(key, { kind, names: [...(groups.get(key)?.names ?? []), name], ids });
}
const golden = { versions: { 'node-llama-cpp': readJson(path.join(entry, '../../package.json')).version }, groups: [...groups.values()] };
writeFileSync(path.join(here, 'llama-cpp.json'), `${JSON.stringify(golden)}\n`);
process.exit(0);
