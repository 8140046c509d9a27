import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runResult, type InspectResult, type ListResult, type RunResult } from '../../src/protocol/index.js';
import { copyOf, withConfig, write } from './broken.js';
import { cutaway, gpt2, json, llama, refused, tiny } from './command.js';

/** 2 layers, 4 heads, width 24, 61 tokens: `t0` to `t60`, but `[MASK]` for `t4`; 20 positions. */
const masked = tiny('bert-masked');
const classifier = tiny('bert-two-labels');
const prompt = ['--prompt', 't2 t42 t9 [MASK] t31 t0 t58 [MASK] t42 t12 t3'];

/** A result that its schema reads without dropping anything. */
const run = async (model: string, ...args: readonly string[]): Promise<RunResult> => {
  const value = await json('run', model, ...args);
  expect(runResult.parse(value)).toEqual(value);
  return value as RunResult;
};

const shown = async (...args: readonly string[]): Promise<string> =>
  stripVTControlCharacters((await cutaway('run', ...args)).stdout);

/** A copy of the model whose tokenizer is changed. */
const withTokenizer = (change: (tokenizer: Record<string, unknown>) => void, model = masked): string => {
  const folder = copyOf(model);
  const file = path.join(folder, 'tokenizer.json');
  const tokenizer = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(tokenizer);
  writeFileSync(file, JSON.stringify(tokenizer));
  return folder;
};

describe('run of a masked-word model', () => {
  it.each(['bert-masked', 'roberta-masked', 'distilbert-masked'])('%s: the words at each mask', async (variant) => {
    const result = await run(tiny(variant), ...prompt, '--top', '3');
    expect(Object.keys(result)).toEqual('model tokens next masks generated stop seconds'.split(' '));
    expect(result).toMatchObject({ next: [], generated: { ids: [], text: '' }, stop: 'none' });
    expect(result.seconds.decode).toBe(0);
    expect(result.masks?.map((m) => m.position)).toEqual([3, 7]);
    for (const { next } of result.masks ?? []) {
      expect(next).toHaveLength(3);
      for (const word of next) expect(word.text).toBe(word.id === 4 ? '[MASK]' : `t${word.id}`);
      const logits = next.map((t) => t.logit ?? NaN);
      expect(logits).toEqual([...logits].sort((a, b) => b - a));
    }
  });

  it('gives each word the softmax of its row, which inspect tells whole', async () => {
    const { masks } = await run(masked, ...prompt, '--top', '1000');
    expect(masks?.[1]?.next).toHaveLength(61);
    expect(masks?.[1]?.next.reduce((sum, t) => sum + t.probability, 0)).toBeCloseTo(1, 6);
    const args = [...prompt, '--sites', 'logits[position=7]', '--quiet'];
    const { sites } = await json<InspectResult>('inspect', masked, ...args);
    expect(sites[0]).toMatchObject({ shape: [1, 1, 61], max: masks?.[1]?.next[0]?.logit });
  });

  it('finds the mask among ids too', async () => {
    const { masks } = await run(masked, '--ids', '2,4,9');
    expect(masks?.map((m) => m.position)).toEqual([1]);
  });

  it('says how to write a mask where the prompt has none', async () => {
    const { masks, notes } = await run(masked, '--prompt', 't2 t42');
    expect(masks).toEqual([]);
    expect(notes?.join()).toContain('write [MASK]');
  });

  it('without a tokenizer, or one without a mask, says why no word is looked for', async () => {
    expect((await run(tiny('bert-relu'), '--ids', '2,4,9')).notes?.join()).toContain('without a tokenizer');
    const folder = withTokenizer((tokenizer) => {
      tokenizer['added_tokens'] = [];
    });
    const { masks, notes } = await run(folder, '--ids', '2,4,9');
    expect(masks).toEqual([]);
    expect(notes?.join()).toContain('the tokenizer has no mask');
  });

  it('of several prompts is an array', async () => {
    const file = write('masks.jsonl', '"t2 [MASK]"\n{"ids": [4, 4, 4]}\n');
    const results = await json<RunResult[]>('run', masked, '--prompts', file);
    expect(results.map((r) => r.masks?.map((m) => m.position))).toEqual([[1], [0, 1, 2]]);
  });

  it('shows a table a mask, the sentence over it', async () => {
    const stdout = await shown(masked, '--prompt', 't2 t42 [MASK] t9 [MASK]', '--top', '2');
    expect(stdout).toContain('5 tokens: t2|t42|[MASK]|t9|[MASK]\n');
    expect(
      stdout.match(/^mask at position [24]\n {2}t2 t42 \[MASK\] t9 \[MASK\]\n\n.*logit.*\n.* %.*\n.* %/gm),
    ).toHaveLength(2);
    expect(await shown(masked, '--prompt', 't2')).toContain('\nno masks\n');
  });
});

describe('run of a classifier', () => {
  it.each([
    ['bert-two-labels', ['NEGATIVE', 'POSITIVE']],
    ['roberta-two-labels', ['LABEL_0', 'LABEL_1']],
    ['roberta-three-labels', ['sad', 'calm', 'glad']],
    ['distilbert-three-labels', ['sad', 'calm', 'glad']],
  ])('%s: its labels, likeliest first', async (variant, names) => {
    const result = await run(tiny(variant), '--ids', '2,42,9');
    expect(Object.keys({ ...result, notes: [] })).toEqual(
      'model tokens next labels generated stop seconds notes'.split(' '),
    );
    const { next, labels = [] } = result;
    expect(next).toEqual([]);
    expect(labels.map((l) => l.text)).toEqual(labels.map((l) => names[l.id]));
    expect(labels).toHaveLength(names.length);
    expect(labels.reduce((sum, l) => sum + l.probability, 0)).toBeCloseTo(1, 6);
    const logits = labels.map((l) => l.logit ?? NaN);
    expect(logits).toEqual([...logits].sort((a, b) => b - a));
  });

  it('shows them as a table', async () => {
    expect(await shown(classifier, ...prompt)).toMatch(
      /\nlabels\n +label +id +logit +probability\n +1 {2}[A-Z]+ +[01] .* %  [█▏]+\n +2 /,
    );
  });

  it('of several labels at once gives each its own probability', async () => {
    const folder = withConfig({ problem_type: 'multi_label_classification' }, classifier);
    const { labels = [], notes } = await run(folder, ...prompt);
    for (const { logit, probability } of labels)
      expect(probability).toBeCloseTo(1 / (1 + Math.exp(-(logit ?? NaN))), 12);
    expect(notes?.join()).toContain('need not add up');
  });

  it('of a regression says that the logits count', async () => {
    const folder = withConfig({ problem_type: 'regression' }, classifier);
    const { labels = [], notes } = await run(folder, ...prompt);
    expect(labels.map((l) => l.logit)).toEqual((await run(classifier, ...prompt)).labels?.map((l) => l.logit));
    expect(notes?.join()).toContain('regression');
  });

  it.each([
    ['more labels than the file has', { id2label: { 0: 'a', 1: 'b', 2: 'c' } }, 'TENSOR_SHAPE'],
    ['labels with holes', { id2label: { 0: 'a', 2: 'c' } }, 'CONFIG_INVALID'],
    ['another kind of problem', { problem_type: 'ranking' }, 'CONFIG_INVALID'],
    ['a number of labels beyond all reason', { id2label: null, num_labels: 1e12 }, 'CONFIG_INVALID'],
  ])('with %s is refused', async (_, fields, code) => {
    await refused(code, 'run', withConfig(fields, classifier), ...prompt);
  });
});

describe('what a model that makes no tokens cannot do', () => {
  it.each([
    ['--max-new-tokens', '3'],
    ['--temperature', '0.5'],
    ['--top-k', '3'],
    ['--top-p', '0.5'],
    ['--min-p', '0.5'],
    ['--repetition-penalty', '1.5'],
    ['--seed', '1'],
    ['--ignore-eos'],
    ['--stages'],
  ])('%s', async (...option) => {
    expect(await refused('OPTION_INVALID', 'run', masked, ...prompt, ...option)).toContain(option[0]);
    expect(await refused('OPTION_INVALID', 'run', classifier, ...prompt, ...option)).toContain('labels');
  });

  it('sampling and forced tokens, as edits', async () => {
    for (const edit of ['temperature 0.5', 'force token 5 at step 0'])
      await refused('OPTION_INVALID', 'run', masked, ...prompt, '--edit', edit);
  });

  it('takes --max-new-tokens 0, which asks for none', async () => {
    expect((await run(masked, ...prompt, '--max-new-tokens', '0')).masks).toHaveLength(2);
  });
});

describe('a mask where the model says what comes next', () => {
  it.each(['t2 [MASK] t42', 't2 <mask> t42'])('%s is refused', async (text) => {
    const told = await refused('MASK_UNSUPPORTED', 'run', gpt2, '--prompt', text);
    expect(told).toContain('End the prompt where the word is missing');
    await refused('MASK_UNSUPPORTED', 'run', llama, '--prompt', 't2', '--edit', `prompt "${text}"`);
    await refused('MASK_UNSUPPORTED', 'inspect', gpt2, '--prompt', text, '--sites', 'logits');
    const file = write('decoder.jsonl', `"t1"\n${JSON.stringify(text)}\n`);
    expect(await refused('MASK_UNSUPPORTED', 'run', gpt2, '--prompts', file)).toContain('decoder.jsonl, line 2');
  });

  it('is read where the tokenizer has such a token', async () => {
    const folder = copyOf(gpt2);
    writeFileSync(path.join(folder, 'tokenizer.json'), readFileSync(path.join(masked, 'tokenizer.json')));
    expect((await run(folder, '--prompt', 't2 [MASK]')).tokens.map((t) => t.id)).toEqual([2, 4]);
  });
});

describe('a tokenizer with more tokens than the model', () => {
  const larger = (model: string): string =>
    withTokenizer((tokenizer) => {
      const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
      tokenizer['added_tokens'] = [{ id: 61, content: '[NEW]', ...flags }];
    }, model);

  it.each([masked, gpt2])('%s: a text with one of them is refused', async (model) => {
    const told = await refused('ID_OUT_OF_RANGE', 'run', larger(model), '--prompt', 't2 [NEW]');
    expect(told).toMatch(/"\[NEW\]" the id 61.*0 to 60/);
  });

  it('reads every other text', async () => {
    expect((await run(larger(masked), '--prompt', 't2')).tokens).toEqual([{ id: 2, text: 't2' }]);
  });
});

describe('inspect, list and edits of models that read a whole text', () => {
  it('list their sites, inspect takes other names', async () => {
    const { sites = [] } = await json<ListResult>('list', masked, '--sites');
    expect(sites.find((s) => s.name === 'head.pre')?.axes).toEqual(['batch', 'position', 'model']);
    expect(sites.map((s) => s.name)).toEqual(expect.arrayContaining(['ln_embed', 'blocks.1.resid_post_raw']));
    const named = ['bert.encoder.layer.0.attention.output', 'blocks.0.hook_resid_mid', 'hook_full_embed'];
    const args = ['inspect', masked, ...prompt, '--sites', named.join(), '--quiet'];
    expect((await json<InspectResult>(...args)).sites.map((s) => s.name)).toEqual([
      'ln_embed',
      'blocks.0.resid_mid_raw',
      'blocks.0.resid_mid',
    ]);
    const pooled = await json<InspectResult>('inspect', classifier, ...prompt, '--sites', 'pooled,logits', '--quiet');
    expect(pooled.sites.map(({ axes, shape }) => [axes, shape])).toEqual([
      [
        ['batch', 'model'],
        [1, 24],
      ],
      [
        ['batch', 'label'],
        [1, 2],
      ],
    ]);
  });

  it.each([
    'set blocks.0.mlp.post[position=3, neuron=5] = 3',
    'scale blocks.0.resid_mid by 0.5',
    'drop head 1.0',
    'skip layer 1',
    'repeat layer 0',
    'replace activation with relu',
    'add 2 * direction("t5" - "t9" in embed) at blocks.0.resid_post[position=0]',
    'weight bert.embeddings.word_embeddings.weight[token=42] *= 2',
  ])('%s changes words and labels', async (edit) => {
    const [words, labels] = [await run(masked, ...prompt), await run(classifier, ...prompt)];
    expect((await run(masked, ...prompt, '--edit', edit)).masks).not.toEqual(words.masks);
    expect((await run(classifier, ...prompt, '--edit', edit)).labels).not.toEqual(labels.labels);
  });

  it('a direction between scores needs words that are scored', async () => {
    const edit = ['--edit', 'add 2 * direction("t5" - "t9") at blocks.0.resid_post'];
    expect((await run(masked, ...prompt, ...edit)).masks).toHaveLength(2);
    expect(await refused('EDIT_INVALID', 'run', classifier, ...prompt, ...edit)).toContain('in embed');
  });

  it('a prompt longer than the table of positions is refused', async () => {
    const ids = (count: number): string => Array.from({ length: count }, () => '5').join();
    expect((await run(masked, '--ids', ids(20))).tokens).toHaveLength(20);
    expect(await refused('PROMPT_TOO_LONG', 'run', masked, '--ids', ids(21))).toContain('no weights for later');
    // RoBERTa's first rows of the table are not positions
    expect((await run(tiny('roberta-masked'), '--ids', ids(18))).tokens).toHaveLength(18);
    await refused('PROMPT_TOO_LONG', 'run', tiny('roberta-masked'), '--ids', ids(19));
  });
});
