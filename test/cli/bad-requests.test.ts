import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch, write } from './broken.js';
import { cutaway, gpt2, llama, refused } from './command.js';

const run = (code: string, ...args: readonly string[]): Promise<string> => refused(code, 'run', gpt2, ...args);
const inspect = (code: string, ...args: readonly string[]): Promise<string> => refused(code, 'inspect', gpt2, ...args);

describe('the prompt', () => {
  it.each(['61', '-1', '1,2,999999'])('ids out of range: %s', async (ids) => {
    expect(await run('ID_OUT_OF_RANGE', `--ids=${ids}`)).toContain('0 to 60');
    await inspect('ID_OUT_OF_RANGE', `--ids=${ids}`, '--sites', 'logits', '--json');
  });

  it.each(['', '1,,2', 'a', '1.5', '1;2'])('ids that are no ids: %j', async (ids) => {
    await run('OPTION_INVALID', '--ids', ids);
  });

  it.each([
    [gpt2, 40],
    [llama, 48],
  ])('%s takes %d tokens and not one more', async (model, most) => {
    const ids = Array.from({ length: most }, () => '1').join();
    expect((await cutaway('run', model, '--ids', ids, '--json')).status).toBe(0);
    const told = await refused('PROMPT_TOO_LONG', 'run', model, '--ids', `${ids},1`);
    expect(told).toMatch(new RegExp(`${most + 1}.*${most}`));
  });

  it('an empty one', async () => {
    await run('PROMPT_EMPTY', '--prompt', '');
    await inspect('PROMPT_EMPTY', '--prompt', '', '--sites', 'logits');
  });

  it('none at all', async () => {
    expect(await run('PROMPT_EMPTY')).toContain('--prompt');
    await inspect('PROMPT_EMPTY', '--sites', 'logits');
  });

  it('two ways at once', async () => {
    await run('OPTION_INVALID', '--prompt', 't1', '--ids', '1');
    await run('OPTION_INVALID', '--ids', '1', '--prompts', 'x.jsonl');
    await inspect('OPTION_INVALID', '--prompt', 't1', '--ids', '1', '--sites', 'logits');
  });

  it.each(['t1', '{"text": "t1"}', '{"ids": ["1"]}', '{"prompt": "t1"', '[1]', '3'])(
    'a file with the line %s: the line is named',
    async (bad) => {
      const file = write('bad.jsonl', `"t1 t2"\n\n${bad}\n"t3"\n`);
      expect(await run('OPTION_INVALID', '--prompts', file)).toContain('bad.jsonl, line 3');
    },
  );

  it('a file whose third line has ids out of range: the line is named', async () => {
    const file = write('range.jsonl', '"t1"\n\n{"ids": [1, 61]}\n');
    expect(await run('ID_OUT_OF_RANGE', '--prompts', file)).toContain('range.jsonl, line 3');
  });

  it('a file without prompts, and a file that is not there', async () => {
    await run('PROMPT_EMPTY', '--prompts', write('empty.jsonl', '\n\n'));
    expect(await run('FILE_UNREADABLE', '--prompts', path.join(scratch, 'nowhere.jsonl'))).toContain('nowhere.jsonl');
  });
});

describe('a site', () => {
  it.each([
    ['blocks.1.attn.patern', 'blocks.1.attn.pattern'],
    ['blocks.3.attn.pattern', 'blocks.2.attn.pattern'],
    ['logit', 'logits'],
    ['blocks.0.hook_residpre', 'blocks.0.hook_resid_pre'],
    ['blocks.*.attn.patern', 'attn.pattern'],
  ])('%s is not known: near names are offered', async (site, near) => {
    expect(await inspect('SITE_UNKNOWN', '--ids', '1,2', '--sites', site)).toContain(near);
  });

  it('of an edit is not known: near names are offered', async () => {
    expect(await run('SITE_UNKNOWN', '--ids', '1,2', '--edit', 'scale blocks.1.atn.z by 0')).toContain(
      'blocks.1.attn.z',
    );
  });

  it.each([
    ['blocks.0.attn.z[head', 21],
    ['blocks.0.attn.z[head=]', 22],
    ['blocks.0.attn.z[head=1', 23],
    ['logits, blocks..z', 9],
    ['logits,', 8],
    ['', 1],
    ['logits[position="t1]', 17],
  ])('%s cannot be read: the column is told', async (sites, column) => {
    expect(await inspect('SELECTOR_SYNTAX', '--ids', '1,2', '--sites', sites)).toContain(`column ${column}`);
  });

  it.each([
    ['blocks.0.attn.z[head=4]', '4'],
    ['blocks.0.attn.z[head=-5]', '-5'],
    ['blocks.0.attn.z[neuron=1]', 'head'],
    ['blocks.0.attn.z[position=2]', '2'],
    ['blocks.0.attn.z[head=3..1]', '3'],
    ['blocks.0.attn.z[position="t9"]', 't9'],
    ['**[head=1]', 'head'],
  ])('%s chooses what is not there', async (sites, told) => {
    expect(await inspect('SELECTOR_INVALID', '--ids', '1,2', '--sites', sites)).toContain(told);
  });

  it('a token that occurs twice must say which', async () => {
    const told = await inspect('AMBIGUOUS_TOKEN', '--prompt', 't1 t2 t1', '--sites', 'logits[position="t1"]');
    expect(told).toMatch(/#2|#last/);
  });

  it('more bytes than the limit: refused before computing, with advice', async () => {
    const told = await inspect('MEMORY_LIMIT', '--ids', '1,2', '--sites', '**', '--max-bytes', '1');
    expect(told).toContain('--max-bytes');
  });

  it.each([
    ['in a folder that is not there', path.join(scratch, 'nowhere', 'out.safetensors')],
    ['that is a folder', scratch],
    ['under a file', path.join(gpt2, 'config.json', 'out.safetensors')],
  ])('an out file %s: refused before anything is computed', async (_, out) => {
    const told = await inspect('OUT_UNWRITABLE', '--ids', '1,2', '--sites', '**', '--out', out);
    expect(told).not.toContain('note:');
    await refused('OUT_UNWRITABLE', 'inspect', 'nowhere', '--ids', '1', '--sites', '**', '--out', out);
  });

  it('an out file is not left behind by a refused command', async () => {
    const out = path.join(scratch, 'none.safetensors');
    await inspect('SITE_UNKNOWN', '--ids', '1', '--sites', 'nowhere', '--out', out);
    expect(existsSync(out)).toBe(false);
  });

  it('none at all', async () => {
    expect(await inspect('OPTION_INVALID', '--ids', '1')).toContain('--sites');
  });
});

describe('an edit', () => {
  it.each([
    ['scale blocks.0.attn.z by', 'column 25'],
    ['scale blocks.0.attn.z[head=] by 0', 'column 28'],
    ['scale blocks.0.attn.z by zero', 'column 26'],
    ['scael blocks.0.attn.z by 0', 'column 1'],
    ['skip layer x', 'column 12'],
    ['prompt "t1', 'column 8'],
    ['skip layer 1\nscale', 'line 2'],
  ])('%j cannot be read: the column is told', async (edit, place) => {
    expect(await run('EDIT_SYNTAX', '--ids', '1,2', '--edit', edit)).toContain(place);
  });

  it('among several cannot be read: its number is told', async () => {
    const told = await run('EDIT_SYNTAX', '--ids', '1', '--edit', 'skip layer 1', '--edit', 'skip layer x');
    expect(told).toContain('edit 2 of 2');
  });

  it('in a file cannot be read: file, line and column are told', async () => {
    const file = write('bad.edits', '# first\nskip layer 1\nscale blocks.0.attn.z by\n');
    const told = await run('EDIT_SYNTAX', '--ids', '1,2', '--edits', file);
    expect(told).toContain('bad.edits');
    expect(told).toContain('line 3');
    expect(told).toContain('column 25');
  });

  it('in a JSON file is wrong: the file is told, and where', async () => {
    const cut = write('cut.json', '{"experiment": 1, "edits": [');
    expect(await run('EDIT_SYNTAX', '--ids', '1,2', '--edits', cut)).toContain('cut.json');
    const bad = write('bad.json', '{"experiment": 1, "edits": [{"edit": "scale", "site": 3, "by": 0}]}');
    const told = (await cutaway('run', gpt2, '--ids', '1', '--edits', bad)).stderr;
    expect(told).toMatch(/bad\.json[^]*site[^]*\[EDIT_(SYNTAX|INVALID)\]\n$/);
  });

  it.each([
    ['skip layer 3', 'EDIT_INVALID'],
    ['swap layers 0 7', 'EDIT_INVALID'],
    ['drop head 0.4', 'EDIT_INVALID'],
    ['drop head 3.0', 'EDIT_INVALID'],
    ['scale blocks.0.attn.z[head=4] by 0', 'SELECTOR_INVALID'],
    ['scale blocks.0.attn.z[neuron=1] by 0', 'SELECTOR_INVALID'],
    ['weight transformer.nowhere = 0', 'WEIGHT_UNKNOWN'],
    ['weight transformer.wte.weight[token=61] = 0', 'SELECTOR_INVALID'],
    ['replace weight transformer.wte.weight from nowhere.safetensors "x"', 'FILE_UNREADABLE'],
    ['add 2 * vector(nowhere.safetensors, "x") at logits', 'FILE_UNREADABLE'],
    ['set logits = mean of nowhere.jsonl', 'FILE_UNREADABLE'],
    ['add 1 * direction("nothing" - "t1") at blocks.0.resid_post', 'EDIT_INVALID'],
    ['add 1 * direction(61 - 1) at blocks.0.resid_post', 'ID_OUT_OF_RANGE'],
    ['force token "nothing" at step 0', 'EDIT_INVALID'],
    ['force token 61 at step 0', 'ID_OUT_OF_RANGE'],
    ['config n_layer = "many"', 'CONFIG_INVALID'],
    ['config flavour_of_attention = "new"', 'CONFIG_FIELD_UNSUPPORTED'],
    ['replace activation with mystery', 'CONFIG_FIELD_UNSUPPORTED'],
    ['set blocks.0.resid_post = from prompt ""', 'PROMPT_EMPTY'],
    ['set blocks.0.resid_post = from recording nowhere.rec', 'FILE_UNREADABLE'],
    ['scale grad(logits) by 2', 'EDIT_INVALID'],
    ['temperature -1', 'OPTION_INVALID'],
    ['prompt ""', 'PROMPT_EMPTY'],
  ])('%s cannot be carried out (%s)', async (edit, code) => {
    const { status, stdout, stderr } = await cutaway('run', gpt2, '--ids', '1,2', '--edit', edit, '--json');
    const told = { status, stdout, code: /\[([A-Z_]+)\]\n$/.exec(stderr)?.[1] };
    expect(told).toEqual({ status: 2, stdout: '', code });
  });

  it('a value of another length than the place: both shapes are told', async () => {
    const edit = 'set blocks.0.resid_post = from prompt "t1 t2 t3"';
    expect(await run('EDIT_INVALID', '--ids', '1,2', '--edit', edit)).toMatch(/3[^]*2|2[^]*3/);
  });
});

describe('an option', () => {
  it.each([
    ['--top', '-1'],
    ['--top', 'many'],
    ['--max-new-tokens', '-1'],
    ['--max-new-tokens', '1.5'],
    ['--temperature', '-1'],
    ['--temperature', 'warm'],
    ['--top-k', '-1'],
    ['--top-p', '1.5'],
    ['--min-p', '-0.1'],
    ['--repetition-penalty', '0'],
    ['--threads', '0'],
    ['--seed', 'x'],
    ['--device', 'tpu'],
    ['--engine', 'torch'],
    ['--colour', 'red'],
  ])('%s %s is refused and named', async (option, value) => {
    expect(await run('OPTION_INVALID', '--ids', '1', `${option}=${value}`)).toContain(option.slice(2));
  });

  it('without its value', async () => {
    expect(await run('OPTION_INVALID', '--ids')).toContain('--ids');
  });

  it('in excess, and a verb that is not known: the nearest is offered', async () => {
    await run('OPTION_INVALID', 'more', '--ids', '1');
    expect(await refused('OPTION_INVALID', 'inspekt', gpt2)).toContain('inspect');
    expect(await run('OPTION_INVALID', '--ids', '1', '--edlt', 'x')).toContain('--edit');
  });

  it('texts to tokenize: none, two ways, and a file that holds none', async () => {
    await refused('PROMPT_EMPTY', 'tokenize', gpt2);
    await refused('OPTION_INVALID', 'tokenize', gpt2, '--text', 't1', '--file', 'x.json');
    await refused('FILE_UNREADABLE', 'tokenize', gpt2, '--file', path.join(scratch, 'nowhere.json'));
    await refused('OPTION_INVALID', 'tokenize', gpt2, '--file', write('cases.json', '{"a": 1}'));
    mkdirSync(path.join(scratch, 'folder'), { recursive: true });
    await refused('FILE_UNREADABLE', 'tokenize', gpt2, '--file', path.join(scratch, 'folder'));
  });
});
