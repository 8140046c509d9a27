import { expect, it } from 'vitest';
import type { GgufMetadata, GgufValue } from './gguf.js';
import { chatTemplate, tokenRoles } from './special-tokens.js';

const metadata: GgufMetadata = new Map<string, GgufValue>([
  ['tokenizer.ggml.tokens', ['<unk>', '<s>', '</s>', '[SEP]']],
  ['tokenizer.ggml.bos_token_id', 1],
  ['tokenizer.ggml.eos_token_id', 2],
  ['tokenizer.ggml.unknown_token_id', 0],
  ['tokenizer.ggml.seperator_token_id', 3],
  ['tokenizer.ggml.padding_token_id', 4294967295],
]);

it('special tokens are known by their roles, those outside the vocabulary are not', () => {
  const expected = new Map([['bos', 1], ['eos', 2], ['unk', 0], ['sep', 3]]); // prettier-ignore
  expect(tokenRoles(metadata, 4)).toEqual(expected);
});

it('a chat template comes with the spellings of special tokens', () => {
  const source = '{{ bos_token }}';
  const roles = tokenRoles(metadata, 4);
  expect(chatTemplate(metadata, roles)).toBeUndefined();
  expect(chatTemplate(new Map<string, GgufValue>([...metadata, ['tokenizer.chat_template', source]]), roles)).toEqual({
    source,
    tokens: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', sep_token: '[SEP]' },
  });
});
