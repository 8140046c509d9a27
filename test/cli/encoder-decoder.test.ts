import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWeights } from '../../src/formats/index.node.js';
import type { InspectResult, RunResult } from '../../src/protocol/index.js';
import { greedyOf, type Golden } from '../support/golden.js';
import { copyOf, scratch, withConfig, write } from './broken.js';
import { cutaway, gpt2, json, refused, tiny } from './command.js';

/** 2 + 2 layers, 3 heads, 61 tokens `t0` to `t60`, sequences of any length; with a tokenizer. The start token is 0. */
const t5 = tiny('t5-default');
/** 2 + 2 layers, 30 positions; with a tokenizer. The start token is 2. */
const bart = tiny('bart-default');

const greedy = (model: string) => greedyOf(JSON.parse(readFileSync(path.join(model, 'golden.json'), 'utf8')) as Golden);
const source = greedy(t5).source ?? [];
const texts = (tokens: readonly { readonly text: string }[] | undefined): readonly string[] | undefined =>
  tokens?.map((t) => t.text);

/** As the golden run of the model, or of the one that it is a copy of. */
const generate = (model: string, ...args: readonly string[]): Promise<RunResult> => {
  const { source: own = [], ids } = greedy(existsSync(path.join(model, 'golden.json')) ? model : t5);
  return json<RunResult>('run', model, '--ids', own.join(), '--max-new-tokens', String(ids.length), ...args);
};

/** A copy of a model with a generation_config.json. */
const withGeneration = (model: string, fields: object): string => {
  const folder = copyOf(model);
  writeFileSync(path.join(folder, 'generation_config.json'), JSON.stringify(fields));
  return folder;
};

describe('run of an encoder-decoder', () => {
  it('reads the prompt with its encoder, and begins with the start token', async () => {
    const r = await json<RunResult>('run', t5, '--prompt', 't5 t6 t7');
    expect(texts(r.tokens)).toEqual(['t5', 't6', 't7']);
    expect(texts(r.target)).toEqual(['t0']);
    expect(r.model).toMatchObject({ family: 't5', layers: 2, encoderLayers: 2 });
    expect(r.next).toHaveLength(10);
  });

  it('goes on from a target, given as text or as ids', async () => {
    const text = await json<RunResult>('run', t5, '--prompt', 't5 t6', '--target', 't3 t4', '--max-new-tokens', '3');
    const ids = await json<RunResult>('run', t5, '--ids', '5,6', '--target-ids', '3,4', '--max-new-tokens', '3');
    expect(texts(text.target)).toEqual(['t0', 't3', 't4']);
    expect({ ...ids, seconds: null }).toEqual({ ...text, seconds: null });
    const bare = await json<RunResult>('run', t5, '--ids', '5,6', '--max-new-tokens', '3');
    expect(bare.next).not.toEqual(text.next);
  });

  it.each([t5, bart, tiny('marian-default'), tiny('mbart-default')])('%s: generates as transformers', async (model) => {
    expect((await generate(model, '--ignore-eos')).generated.ids).toEqual(greedy(model).ids);
  });

  it.each(['bart-forced-bos', 'bart-forced-bos-apart'])(
    '%s: takes the forced token first, and says so',
    async (name) => {
      const r = await generate(tiny(name), '--ignore-eos');
      expect(r.generated.ids).toEqual(greedy(tiny(name)).ids);
      expect(r.generated.ids[0]).toBe(47);
      expect(r.notes?.join('\n')).toMatch(
        /the first new token is .*47.*: forced_bos_token_id of (generation_)?config.json/,
      );
      const begun = await generate(tiny(name), '--target-ids', '5');
      expect(begun.notes?.join('\n') ?? '').not.toContain('forced_bos_token_id');
    },
  );

  it('ends at the end token', async () => {
    const { ids } = greedy(t5);
    const end = ids[1] ?? -1;
    const r = await generate(withConfig({ eos_token_id: end }, t5));
    expect(r).toMatchObject({ stop: 'eos', generated: { ids: ids.slice(0, ids.indexOf(end) + 1) } });
  });

  it('takes no suppressed token, and says where it would have', async () => {
    const [best = 0] = greedy(t5).ids;
    const folder = withGeneration(t5, { decoder_start_token_id: 0, bad_words_ids: [[best]], num_beams: 4 });
    const r = await generate(folder, '--ignore-eos', '--stages');
    expect(r.generated.ids).not.toContain(best);
    expect(r.steps?.[0]?.stages.map((s) => s.name)).toEqual(['logits', 'suppressed']);
    expect(r.steps?.[0]?.stages[1]?.left).toBe(60);
    expect(r.next[0]?.id).toBe(best);
    const notes = r.notes?.join('\n');
    expect(notes).toContain(
      `at step 0 t${best} is likeliest and may not be taken: bad_words_ids of generation_config.json`,
    );
    expect(notes).toContain('num_beams 4');
  });

  it('begins with the start token of generation_config.json, unless an edit says another', async () => {
    const folder = withGeneration(t5, { decoder_start_token_id: 9 });
    expect(texts((await json<RunResult>('run', folder, '--ids', '5')).target)).toEqual(['t9']);
    const edit = ['--edit', 'config decoder_start_token_id = 4'];
    expect(texts((await json<RunResult>('run', folder, '--ids', '5', ...edit)).target)).toEqual(['t4']);
  });

  it('ends where no positions are left for the decoder', async () => {
    const r = await json<RunResult>('run', bart, '--ids', '5,6', '--max-new-tokens', '100', '--ignore-eos');
    expect(r.stop).toBe('context');
    expect(r.generated.ids).toHaveLength(30);
  });

  it('of several prompts, each with its target or that of all', async () => {
    const lines = [
      '"t5"',
      '{"prompt": "t5", "target": "t3 t4"}',
      '{"ids": [5], "targetIds": [3]}',
      '{"prompt": "t5", "targetIds": [6]}',
    ];
    const file = write('pairs.jsonl', lines.join('\n'));
    const targets = async (...args: string[]) =>
      (await json<RunResult[]>('run', t5, '--prompts', file, ...args)).map((r) => texts(r.target)?.join(' '));
    expect(await targets()).toEqual(['t0', 't0 t3 t4', 't0 t3', 't0 t6']);
    expect(await targets('--target', 't9')).toEqual(['t0 t9', 't0 t3 t4', 't0 t3', 't0 t6']);
  });

  it('an edit of the prompt is of the source', async () => {
    const edited = await json<RunResult>('run', t5, '--prompt', 't1', '--target', 't3', '--edit', 'prompt "t5 t6"');
    expect([texts(edited.tokens), texts(edited.target)]).toEqual([
      ['t5', 't6'],
      ['t0', 't3'],
    ]);
  });

  it('edits of both stacks', async () => {
    const plain = await json<RunResult>('run', t5, '--ids', source.join());
    const edits = [
      'skip layer decoder.1',
      'drop head decoder.cross.0.1',
      'drop head encoder.1.2',
      'repeat layer encoder.0',
    ];
    for (const edit of edits) {
      const r = await json<RunResult>('run', t5, '--ids', source.join(), '--edit', edit);
      expect(r.next, edit).not.toEqual(plain.next);
      expect(r.notes, edit).toBeUndefined();
    }
  });

  it('replaces the activation of T5, gated or not', async () => {
    for (const model of [t5, tiny('t5-gated')]) {
      const plain = await json<RunResult>('run', model, '--ids', source.join());
      const r = await json<RunResult>('run', model, '--ids', source.join(), '--edit', 'replace activation with tanh');
      expect(r.next).not.toEqual(plain.next);
    }
  });

  it('for people: source and target by name', async () => {
    const { stdout } = await cutaway('run', t5, '--prompt', 't5 t6', '--target', 't3');
    expect(stdout).toContain('2 + 2 layers (encoder + decoder)');
    expect(stdout).toMatch(/source, 2 tokens: .*t5.*t6/);
    expect(stdout).toMatch(/target, 2 tokens: .*t0.*t3/);
  });
});

describe('inspect of an encoder-decoder', () => {
  const at = ['--prompt', 't5 t6 t7 t6', '--target', 't3 t4'];
  const shapes = async (sites: string): Promise<Readonly<Record<string, string>>> => {
    const r = await json<InspectResult>('inspect', t5, ...at, '--sites', sites);
    return Object.fromEntries(r.sites.map((s) => [s.name, s.shape.join()]));
  };

  it('has positions of the source in the encoder, of the target in the decoder', async () => {
    expect(
      await shapes('encoder.blocks.0.attn.pattern,decoder.blocks.1.attn.pattern,decoder.blocks.1.cross_attn.pattern'),
    ).toEqual({
      'encoder.blocks.0.attn.pattern': '1,3,4,4',
      'decoder.blocks.1.attn.pattern': '1,3,3,3',
      'decoder.blocks.1.cross_attn.pattern': '1,3,3,4',
    });
    expect(await shapes('decoder.blocks.0.cross_attn.k,decoder.blocks.0.cross_attn.result')).toEqual({
      'decoder.blocks.0.cross_attn.k': '1,4,3,7',
      'decoder.blocks.0.cross_attn.result': '1,3,3,24',
    });
  });

  it('takes texts of the source on `source` and in the encoder, of the target elsewhere', async () => {
    const cross = 'decoder.blocks.0.cross_attn.pattern';
    expect(await shapes(`${cross}[query="t4", source="t7"]`)).toEqual({ [cross]: '1,3,1,1' });
    expect(await shapes('encoder.embed[position="t6"#2]')).toEqual({ 'encoder.embed': '1,1,24' });
    expect(await shapes('decoder.embed[position="t0"]')).toEqual({ 'decoder.embed': '1,1,24' });
    const inspect = (sites: string) => refused('SELECTOR_INVALID', 'inspect', t5, ...at, '--sites', sites);
    expect(await inspect(`${cross}[query="t7"]`)).toContain('axis query');
    expect(await inspect('encoder.embed[position="t3"]')).toContain('axis position');
    await refused('AMBIGUOUS_TOKEN', 'inspect', t5, ...at, '--sites', `${cross}[source="t6"]`);
  });

  it('tells the tokens of both, and predicts the bytes that it writes', async () => {
    const out = path.join(scratch, 'both.safetensors');
    const { stdout, stderr } = await cutaway('inspect', t5, ...at, '--sites', '**', '--out', out, '--json');
    const r = JSON.parse(stdout) as InspectResult;
    expect([texts(r.tokens), texts(r.target)]).toEqual([
      ['t5', 't6', 't7', 't6'],
      ['t0', 't3', 't4'],
    ]);
    const weights = await openWeights(out);
    const numbers = weights.names().reduce((n, name) => n + weights.info(name).shape.reduce((a, b) => a * b, 1), 0);
    await weights.close();
    expect(Number(/sites, (\S+) kB/.exec(stderr)?.[1]) * 1000).toBeCloseTo(4 * numbers, -3);
  });

  it('understands module paths, and TransformerLens in T5', async () => {
    expect(
      Object.keys(
        await shapes(
          'decoder.block.0.layer.1.EncDecAttention,encoder.0.hook_resid_mid,decoder.1.ln3.hook_scale,decoder.logits',
        ),
      ),
    ).toEqual([
      'encoder.blocks.0.resid_mid',
      'decoder.blocks.0.cross_attn_out',
      'decoder.blocks.1.ln2.scale',
      'logits',
    ]);
  });

  it('takes values from another source, at the same target', async () => {
    const site = 'decoder.blocks.0.cross_attn_out';
    const stats = async (...args: string[]) =>
      (await json<InspectResult>('inspect', t5, '--target', 't3', '--sites', site, ...args)).sites;
    const other = await stats('--prompt', 't9 t8');
    const patched = await stats('--prompt', 't5 t6 t7', '--edit', `set ${site} = from prompt "t9 t8"`);
    expect(patched).toEqual(other);
    expect(patched).not.toEqual(await stats('--prompt', 't5 t6 t7'));
    const cross = 'set decoder.blocks.0.cross_attn.pattern = from prompt "t9 t8"';
    await refused('EDIT_INVALID', 'inspect', t5, '--prompt', 't5 t6 t7', '--sites', site, '--edit', cross);
  });
});

describe('an encoder-decoder refuses', () => {
  const run = (code: string, model: string, ...args: readonly string[]): Promise<string> =>
    refused(code, 'run', model, ...args);
  const many = (n: number): string => Array.from({ length: n }, () => '1').join();

  it('a target without a source', async () => {
    expect(await run('PROMPT_EMPTY', t5, '--target', 't3')).toContain('no source');
    expect(await run('PROMPT_EMPTY', t5, '--target-ids', '3')).toContain('--prompt');
    await run('PROMPT_EMPTY', t5, '--prompt', '');
  });

  it('two targets', async () => {
    expect(await run('OPTION_INVALID', t5, '--ids', '5', '--target', 't3', '--target-ids', '3')).toContain(
      '--target-ids',
    );
  });

  it('ids out of range on either side', async () => {
    await run('ID_OUT_OF_RANGE', t5, '--ids', '61');
    await run('ID_OUT_OF_RANGE', t5, '--ids', '5', '--target-ids', '61');
    await run('OPTION_INVALID', t5, '--ids', '5', '--target-ids', 'x');
  });

  it('a source or a target that is too long', async () => {
    expect((await cutaway('run', bart, '--ids', many(30), '--target-ids', many(29), '--json')).status).toBe(0);
    expect(await run('PROMPT_TOO_LONG', bart, '--ids', many(31))).toContain('the source has 31 tokens');
    expect(await run('PROMPT_TOO_LONG', bart, '--ids', '5', '--target-ids', many(30))).toContain(
      'the target has 31 tokens with its start token',
    );
  });

  it('layers and heads without their stack', async () => {
    for (const edit of ['skip layer 1', 'drop head 1.0', 'drop head encoder.cross.1.0', 'skip layer decoder.7'])
      await run(edit.includes('encoder.cross') ? 'EDIT_SYNTAX' : 'EDIT_INVALID', t5, '--ids', '5', '--edit', edit);
  });

  it('lines that are no pairs', async () => {
    const file = write('no-pairs.jsonl', '{"prompt": "t5", "target": 3}');
    expect(await run('OPTION_INVALID', t5, '--prompts', file)).toContain('no-pairs.jsonl, line 1');
    const both = write('both.jsonl', '{"prompt": "t5", "target": "t1", "targetIds": [1]}');
    await run('OPTION_INVALID', t5, '--prompts', both);
  });
});

describe('a model of one stack', () => {
  it('refuses a target', async () => {
    expect(await refused('OPTION_INVALID', 'run', gpt2, '--ids', '5', '--target', 't3')).toContain('--target');
    await refused('OPTION_INVALID', 'run', gpt2, '--prompt', 't5', '--target-ids', '3');
    const file = write('target.jsonl', '{"prompt": "t5", "target": "t3"}');
    expect(await refused('OPTION_INVALID', 'run', gpt2, '--prompts', file)).toContain('line 1');
  });
});
