import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/protocol/index.js';
import { copyOf, entry, scratch, withConfig, withTensors } from './broken.js';
import { cutaway, gpt2, llama, refused, tiny } from './command.js';

/** All verbs that open a model must refuse it the same way. */
const refusedByAll = async (code: string, model: string): Promise<string> => {
  const told = await refused(code, 'run', model, '--ids', '1,2,3');
  await refused(code, 'inspect', model, '--ids', '1,2,3', '--sites', 'logits', '--json');
  await refused(code, 'list', model, '--json');
  return told;
};

describe('a folder that is no model', () => {
  it('no such folder', async () => {
    const told = await refusedByAll('MODEL_NOT_FOUND', path.join(scratch, 'nowhere'));
    expect(told).toContain('nowhere');
  });

  it('a file in the place of a folder', async () => {
    await refusedByAll('MODEL_NOT_FOUND', path.join(gpt2, 'config.json'));
  });

  it('no weights in it', async () => {
    const folder = copyOf();
    rmSync(path.join(folder, 'model.safetensors'));
    expect(await refusedByAll('MODEL_NOT_FOUND', folder)).toContain('model.safetensors');
  });

  it('pickled weights, with advice how to convert', async () => {
    const folder = copyOf();
    renameSync(path.join(folder, 'model.safetensors'), path.join(folder, 'pytorch_model.bin'));
    expect(await refusedByAll('PICKLE_REFUSED', folder)).toMatch(
      /safe_serialization|save_file|save_pretrained|convert/,
    );
  });

  it('no config.json', async () => {
    const folder = copyOf();
    rmSync(path.join(folder, 'config.json'));
    expect(await refusedByAll('MODEL_NOT_FOUND', folder)).toContain('config.json');
  });
});

describe('a config that is wrong', () => {
  it('is no JSON', async () => {
    const folder = copyOf();
    writeFileSync(path.join(folder, 'config.json'), '{"model_type": ');
    await refusedByAll('CONFIG_INVALID', folder);
  });

  it.each([
    [gpt2, 'n_layer'],
    [gpt2, 'n_embd'],
    [gpt2, 'n_head'],
    [gpt2, 'vocab_size'],
    [llama, 'hidden_size'],
    [llama, 'num_attention_heads'],
    [llama, 'intermediate_size'],
  ])('%s without %s: the field is named', async (model, field) => {
    expect(await refusedByAll('CONFIG_FIELD_MISSING', withConfig({ [field]: undefined }, model))).toContain(field);
  });

  it.each([
    [gpt2, 'add_cross_attention', true],
    [gpt2, 'flavour_of_attention', 'sliding'],
    [gpt2, 'activation_function', 'mystery'],
    [llama, 'rope_scaling', { type: 'mystery', factor: 2 }],
    [llama, 'sliding_window', 128],
    [llama, 'hidden_act', 'mystery'],
  ])('%s with %s, which is not honoured: the field is named', async (model, field, value) => {
    expect(await refusedByAll('CONFIG_FIELD_UNSUPPORTED', withConfig({ [field]: value }, model))).toContain(field);
  });

  it.each([
    ['n_layer', 'three'],
    ['n_head', 5],
    ['n_layer', -1],
    ['n_embd', 1e15],
    ['n_layer', 1e8],
    ['n_layer', 900],
  ])('%s = %j', async (field, value) => {
    const { status, stderr, stdout } = await cutaway('run', withConfig({ [field]: value }), '--ids', '1');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/\[(CONFIG_INVALID|TENSOR_SHAPE|TENSOR_MISSING|CONFIG_FIELD_UNSUPPORTED)\]\n$/);
  });

  it('an architecture that is not known is named', async () => {
    const folder = withConfig({ model_type: 'quokka', architectures: ['QuokkaForCausalLM'] });
    expect(await refusedByAll('FAMILY_UNKNOWN', folder)).toMatch(/quokka/i);
  });
});

describe('a safetensors file that is wrong', () => {
  it.each([0, 4, 8, 100, 4000, 80_000])('cut off after %d bytes', async (length) => {
    const folder = copyOf();
    truncateSync(path.join(folder, 'model.safetensors'), length);
    await refusedByAll('SAFETENSORS_INVALID', folder);
  });

  it('a header of more bytes than there are', async () => {
    const folder = copyOf();
    const file = path.join(folder, 'model.safetensors');
    const bytes = readFileSync(file);
    bytes.writeBigUInt64LE(0x7fffffffffffffffn);
    writeFileSync(file, bytes);
    await refusedByAll('SAFETENSORS_INVALID', folder);
  });

  it('a tensor that ends past the end of the file', async () => {
    const folder = withTensors((header) => {
      entry(header, 'transformer.wte.weight').data_offsets[1] += 4_000_000;
    });
    expect(await refusedByAll('SAFETENSORS_INVALID', folder)).toContain('transformer.wte.weight');
  });

  it('two tensors on the same bytes', async () => {
    const folder = withTensors((header) => {
      const [weight, bias] = ['weight', 'bias'].map((end) => entry(header, `transformer.ln_f.${end}`));
      if (weight && bias) weight.data_offsets = [...bias.data_offsets];
    });
    await refusedByAll('SAFETENSORS_INVALID', folder);
  });

  it('a shape of more numbers than there can be', async () => {
    const folder = withTensors((header) => {
      entry(header, 'transformer.wte.weight').shape = [2 ** 40, 2 ** 40];
    });
    await refusedByAll('SAFETENSORS_INVALID', folder);
  });

  it('a dtype that its bytes do not fit', async () => {
    const folder = withTensors((header) => {
      entry(header, 'transformer.wte.weight').dtype = 'F64';
    });
    await refusedByAll('SAFETENSORS_INVALID', folder);
  });

  it('a dtype that there is not', async () => {
    const folder = withTensors((header) => {
      entry(header, 'transformer.wte.weight').dtype = 'F33';
    });
    await refusedByAll('SAFETENSORS_INVALID', folder);
  });

  it('whole numbers in the place of weights', async () => {
    const folder = withTensors((header) => {
      entry(header, 'transformer.wte.weight').dtype = 'I32';
    });
    const { status, stderr } = await cutaway('run', folder, '--ids', '1');
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('transformer.wte.weight') as string,
    });
  });

  it('a tensor is missing: it is named', async () => {
    const folder = withTensors((header) => {
      header['transformer.h.1.spare.weight'] = entry(header, 'transformer.h.1.mlp.c_fc.weight');
      delete header['transformer.h.1.mlp.c_fc.weight'];
    });
    expect(await refusedByAll('TENSOR_MISSING', folder)).toContain('no tensor transformer.h.1.mlp.c_fc.weight');
  });

  it('a tensor has another shape than the config asks for: both are told', async () => {
    const folder = withTensors((header) => {
      entry(header, 'transformer.h.1.mlp.c_fc.weight').shape = [96, 24];
    });
    expect(await refusedByAll('TENSOR_SHAPE', folder)).toMatch(/c_fc\.weight has shape \[96, 24\].*\[24, 96\]/);
  });

  it('a shard is missing', async () => {
    const folder = copyOf(tiny('llama-sharded'));
    rmSync(path.join(folder, 'model-00002-of-00003.safetensors'));
    const { status, stderr } = await cutaway('list', folder);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('model-00002-of-00003.safetensors') as string,
    });
  });

  it('NaN weights are allowed, and told', async () => {
    const folder = withTensors((header, data) => {
      data.writeFloatLE(NaN, entry(header, 'transformer.h.1.mlp.c_fc.weight').data_offsets[0]);
    });
    const { status, stdout, stderr } = await cutaway('run', folder, '--ids', '1,2,3', '--json');
    expect(status).toBe(0);
    expect(stderr).toContain('transformer.h.1.mlp.c_fc.weight');
    const result = JSON.parse(stdout) as RunResult;
    expect(result.notes?.join()).toContain('transformer.h.1.mlp.c_fc.weight');
    const people = await cutaway('run', folder, '--ids', '1,2,3', '--max-new-tokens', '2');
    expect(people.status).toBe(0);
    const read = await cutaway('inspect', folder, '--ids', '1,2,3', '--sites', 'logits', '--json');
    expect(JSON.parse(read.stdout)).toMatchObject({ sites: [{ name: 'logits', nan: 3 * 61, min: null }] });
  });
});

describe('a tokenizer that is not there or wrong', () => {
  it('a prompt as text needs one, and the error says how to go without', async () => {
    const folder = copyOf();
    rmSync(path.join(folder, 'tokenizer.json'));
    expect(await refused('TOKENIZER_MISSING', 'run', folder, '--prompt', 't1 t2')).toContain('--ids');
  });

  it('ids work without one', async () => {
    const folder = copyOf();
    rmSync(path.join(folder, 'tokenizer.json'));
    const { status, stdout } = await cutaway('run', folder, '--ids', '1,2', '--max-new-tokens', '2', '--json');
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as RunResult).generated.ids).toHaveLength(2);
    expect((await cutaway('run', folder, '--ids', '1,2', '--max-new-tokens', '2')).stdout).toContain('[');
  });

  it('a broken tokenizer.json', async () => {
    const folder = copyOf();
    writeFileSync(path.join(folder, 'tokenizer.json'), '{"model": {"type": "WordLevel"');
    await refused('TOKENIZER_INVALID', 'run', folder, '--prompt', 't1');
    await refused('TOKENIZER_INVALID', 'tokenize', folder, '--text', 't1');
    const { status, stderr } = await cutaway('run', folder, '--ids', '1,2', '--max-new-tokens', '1', '--json');
    expect(status).toBe(0);
    expect(stderr).toContain('the tokenizer cannot be used');
  });

  it('no tokenizer to tokenize with', async () => {
    const folder = copyOf();
    rmSync(path.join(folder, 'tokenizer.json'));
    await refused('TOKENIZER_MISSING', 'tokenize', folder, '--text', 't1');
    await refused('MODEL_NOT_FOUND', 'tokenize', path.join(scratch, 'nowhere'), '--text', 't1');
  });
});
