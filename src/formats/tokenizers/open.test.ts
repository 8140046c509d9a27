import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../test/support/root.js';
import { openTokenizer, type Tokenizer } from '../index.node.js';

const vocabularies = path.join(root, 'test/golden/tokenizers/vocabularies');
const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-vocabularies-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

let made = 0;
/** A folder with files of a vocabulary and others; an object is written as JSON. */
const folderOf = (
  name: string,
  files: Readonly<Record<string, object | string>> = {},
  left: readonly string[] = [],
) => {
  const folder = path.join(scratch, String(made++));
  if (name === '') mkdirSync(folder);
  else cpSync(path.join(vocabularies, name), folder, { recursive: true });
  for (const file of left) rmSync(path.join(folder, file));
  for (const [file, content] of Object.entries(files))
    writeFileSync(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
};
const idsOf = async (tokenizer: Tokenizer, text: string, special = true): Promise<readonly number[]> =>
  (await tokenizer.encode(text, { special })).map((token) => token.id);
const textsOf = async (tokenizer: Tokenizer, text: string): Promise<readonly string[]> =>
  (await tokenizer.encode(text, { special: true })).map((token) => token.text);
const roles = (tokenizer: Tokenizer) => Object.fromEntries(tokenizer.roles);

describe('the kind of byte pairs', () => {
  const around = async (folder: string) => {
    const texts = await textsOf(await openTokenizer(folder), 'x');
    return [texts[0], texts.at(-1)];
  };

  it('is guessed from the vocabulary where no file tells it', async () => {
    expect(await around(folderOf('bart', {}, ['config.json']))).toEqual(['<s>', '</s>']);
    expect(await around(folderOf('opt', {}, ['config.json', 'tokenizer_config.json']))).toEqual(['</s>', 'x']);
    expect(await around(folderOf('gpt2'))).toEqual(['x', 'x']);
  });

  it('is told by the class of the tokenizer before the type of the model', async () => {
    const files = { 'tokenizer_config.json': { tokenizer_class: 'GPT2TokenizerFast' } };
    expect(await around(folderOf('bart', files))).toEqual(['x', 'x']);
    expect(await around(folderOf('gpt2', { 'config.json': { model_type: 'qwen3' } }))).toEqual(['x', 'x']);
    const qwen = await openTokenizer(folderOf('gpt2', { 'config.json': { model_type: 'qwen3' } }));
    expect(await idsOf(qwen, '12')).toHaveLength(2); // digits are apart
  });

  it('is refused where it is not known, by name', async () => {
    const files = { 'tokenizer_config.json': { tokenizer_class: 'BlenderbotTokenizer' } };
    await expect(openTokenizer(folderOf('gpt2', files))).rejects.toMatchObject({
      message: expect.stringContaining('BlenderbotTokenizer') as string,
      info: { code: 'TOKENIZER_INVALID' },
    });
  });

  it('puts a bos token in front when told', async () => {
    const files = { 'tokenizer_config.json': { tokenizer_class: 'GPT2Tokenizer', add_bos_token: true } };
    expect(await around(folderOf('gpt2', files))).toEqual(['<|endoftext|>', 'x']);
  });
});

describe('tokens behind the vocabulary', () => {
  it('keep their ids where ids have gaps', async () => {
    const added = { '<|endoftext|>': 360, '<|im_start|>': 400, '<tool>': 4_294_967_295 };
    const tokenizer = await openTokenizer(folderOf('qwen2', { 'added_tokens.json': added }, ['tokenizer_config.json']));
    expect(await idsOf(tokenizer, '<|im_start|><tool>')).toEqual([400, 4_294_967_295]);
    expect(tokenizer.tokenText(400)).toBe('<|im_start|>');
    expect(tokenizer.tokenText(399)).toBe('[399]');
    expect((await idsOf(tokenizer, '<|endoftext|>', false)).length).toBeGreaterThan(3);
  });

  it('get the next ids where no file gives any', async () => {
    const files = { 'special_tokens_map.json': { pad_token: '<pad>', additional_special_tokens: ['<a>'] } };
    const tokenizer = await openTokenizer(folderOf('gpt2', files));
    expect(await idsOf(tokenizer, '<pad><a>')).toEqual([361, 362]);
    expect(tokenizer.roles.get('pad')).toBe(361);
  });
});

describe('roles', () => {
  it('are those of the kind, or of the files', async () => {
    const openAt = (name: string) => openTokenizer(path.join(vocabularies, name));
    expect(roles(await openAt('roberta'))).toMatchObject({ cls: 0, pad: 1, sep: 2, unk: 3, mask: 364 });
    expect(roles(await openAt('qwen2'))).toEqual({ eos: 362, pad: 360 });
    expect(roles(await openAt('bert-cased'))).toEqual({ pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
    expect(roles(await openAt('t5'))).toEqual({ pad: 0, eos: 1, unk: 2 });
    expect(roles(await openAt('llama'))).toEqual({ unk: 0, bos: 1, eos: 2 });
    expect(roles(await openAt('gemma'))).toEqual({ pad: 0, eos: 1, bos: 2, unk: 3 });
    expect(roles(await openAt('xlm-roberta'))).toMatchObject({ cls: 0, pad: 1, sep: 2, unk: 3 });
  });

  it('are told beside a tokenizer.json too', async () => {
    const json = readFileSync(path.join(root, 'test/golden/tokenizers/byte-fallback.json'), 'utf8');
    const config = { bos_token: { content: '<s>' }, eos_token: '</s>', pad_token: null, mask_token: '<nowhere>' };
    const tokenizer = await openTokenizer(folderOf('', { 'tokenizer.json': json, 'tokenizer_config.json': config }));
    expect(roles(tokenizer)).toEqual({ bos: 1, eos: 2 });
  });
});

describe('WordPiece', () => {
  it('without a word about capital letters goes by the vocabulary', async () => {
    const cased = await openTokenizer(folderOf('bert-cased', {}, ['tokenizer_config.json']));
    const uncased = await openTokenizer(folderOf('distilbert', {}, ['config.json']));
    expect(await textsOf(cased, 'The')).toEqual(['[CLS]', 'The', '[SEP]']);
    expect(await textsOf(uncased, 'The')).toEqual(['[CLS]', 'the', '[SEP]']);
  });

  it('of another class is refused', async () => {
    const files = { 'tokenizer_config.json': { tokenizer_class: 'EsmTokenizer' } };
    await expect(openTokenizer(folderOf('bert-cased', files))).rejects.toThrow('EsmTokenizer');
  });
});

describe('a SentencePiece model', () => {
  it('alone is taken for what its first pieces say', async () => {
    const at = (name: string) => openTokenizer(path.join(vocabularies, name));
    expect((await textsOf(await at('t5/spiece.model'), 'the')).at(-1)).toBe('</s>');
    expect((await textsOf(await at('llama/tokenizer.model'), 'the'))[0]).toBe('<s>');
    const gemma = await openTokenizer(folderOf('gemma', {}, ['config.json']));
    expect((await textsOf(gemma, 'the'))[0]).toBe('<bos>');
    expect(await textsOf(await at('unigram-bytes/own.model'), '<s>')).toEqual(['<s>']);
  });

  it('gives a space to the beginning only, or behind each special token', async () => {
    const file = { tokenizer_class: 'LlamaTokenizer' };
    const [each, first] = [file, { ...file, legacy: false }].map((config) =>
      folderOf('llama', { 'tokenizer_config.json': config }),
    );
    expect(await textsOf(await openTokenizer(each ?? ''), 'the</s>the')).toEqual(['<s>', ' the', '</s>', ' the']);
    const tokens = await textsOf(await openTokenizer(first ?? ''), 'the</s>the');
    expect(tokens.slice(0, 3)).toEqual(['<s>', ' the', '</s>']);
    expect(tokens.slice(3).join('')).toBe('the');
  });

  it('gives places in UTF-16 units: a byte has its whole character’s, a space in front that of what follows', async () => {
    const tokenizer = await openTokenizer(path.join(vocabularies, 'llama'));
    const tokens = await tokenizer.encode('😀 cat', { special: true });
    expect(tokens.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['<s>', 0, 0],
      [' ', 0, 2],
      ['⟨0xF0⟩', 0, 2],
      ['⟨0x9F⟩', 0, 2],
      ['⟨0x98⟩', 0, 2],
      ['⟨0x80⟩', 0, 2],
      [' cat', 2, 6],
    ]);
  });

  it('reads the spelling of a special token as text when told so', async () => {
    for (const name of ['t5', 'llama', 'unigram-bytes', 'xlm-roberta']) {
      const tokenizer = await openTokenizer(path.join(vocabularies, name));
      const id = tokenizer.idOf('</s>') ?? -1;
      expect(await idsOf(tokenizer, 'a</s>b')).toContain(id);
      expect(await idsOf(tokenizer, 'a</s>b', false)).not.toContain(id);
    }
  });

  it('gives its text back', async () => {
    const tokenizer = await openTokenizer(path.join(vocabularies, 'llama'));
    const text = 'The cat: naïve 日本 😀\n  x';
    const ids = await idsOf(tokenizer, text);
    expect(await tokenizer.decode(ids, { skipSpecial: true })).toBe(text);
    const stream = tokenizer.stream();
    expect(ids.map((id) => stream.push(id)).join('') + stream.flush()).toBe(text);
  });

  it('of a family with other rules is refused, by name', async () => {
    const refused = async (files: Record<string, object>, name: string) => {
      await expect(openTokenizer(folderOf('t5', files))).rejects.toMatchObject({
        message: expect.stringContaining(name) as string,
        info: { code: 'TOKENIZER_INVALID' },
      });
    };
    await refused({ 'tokenizer_config.json': { tokenizer_class: 'AlbertTokenizer' } }, 'AlbertTokenizer');
    await refused({ 'tokenizer_config.json': { tokenizer_class: 'constructor' } }, 'constructor');
    await refused({ 'config.json': { model_type: 'deberta-v2' } }, 'deberta-v2');
  });
});

describe('mBART', () => {
  it('ends a text with its language: the source’s, or the target’s', async () => {
    const folder = path.join(vocabularies, 'mbart');
    expect((await textsOf(await openTokenizer(folder), 'the')).at(-1)).toBe('fr_XX');
    expect((await textsOf(await openTokenizer(folder, { side: 'target' }), 'the')).at(-1)).toBe('ro_RO');
    const unknown = { tokenizer_class: 'MBartTokenizer', src_lang: 'tlh' };
    await expect(openTokenizer(folderOf('mbart', { 'tokenizer_config.json': unknown }))).rejects.toThrow('"tlh"');
  });
});

describe('Marian', () => {
  it('reads a language code as one token', async () => {
    const tokenizer = await openTokenizer(path.join(vocabularies, 'marian'));
    const [code] = await tokenizer.encode('>>fr<< the', { special: true });
    expect(code).toMatchObject({ text: '>>fr<<', start: 0, end: 6 });
  });

  it('has the target’s vocabulary when asked', async () => {
    const folder = path.join(vocabularies, 'marian');
    const target = await openTokenizer(folder, { side: 'target' });
    const named = await openTokenizer(path.join(folder, 'target.spm'));
    const source = await openTokenizer(folder);
    const text = 'naïve 日本語';
    expect(await idsOf(target, text)).toEqual(await idsOf(named, text));
    expect(await idsOf(target, text)).not.toEqual(await idsOf(source, text));
    expect(source.vocabSize).toBe(target.vocabSize);
  });
});
