import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { diffInput, type DiffInput, type DiffResult } from '../../protocol/index.js';
import { diff } from './diff.js';
import { inspect } from './inspect.js';
import { inspectInput } from '../../protocol/index.js';

const golden = path.resolve(import.meta.dirname, '../../../test/golden');
const model = (name: string): string => path.join(golden, 'models', name);
const silent = () => ({ signal: new AbortController().signal, note: () => undefined });
const compare = (input: Partial<DiffInput> & { model: string; other: string }): Promise<DiffResult> =>
  diff.run(diffInput.parse(input), silent());

interface Known {
  readonly ids: number[];
  readonly mistakes: readonly { name: string; model: string; says: string; row: string | null; site: string }[];
}
const known = JSON.parse(readFileSync(path.join(golden, 'diff/mistakes.json'), 'utf8')) as Known;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
/** A copy of a golden model with another config. */
const changed = async (name: string, fields: object): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'diff-'));
  folders.push(folder);
  await cp(model(name), folder, { recursive: true });
  const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as object;
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...config, ...fields }));
  return folder;
};

describe('mistakes made in PyTorch', () => {
  it.each(known.mistakes.filter((m) => m.row !== null))('$name: $says', async (mistake) => {
    const other = path.join(golden, 'diff', `${mistake.name}.safetensors`);
    const found = await compare({ model: model(mistake.model), other, ids: known.ids });
    const [first, ...more] = found.findings;
    expect(first?.site).toBe(mistake.site);
    expect(first?.explanations.map((e) => e.id)).toContain(mistake.row);
    expect(first?.proof).toMatchObject({ agree: first?.proof?.of, next: null });
    expect(more).toEqual([]);
    expect(found.agree).toBe(false);
  });

  it('tells of a NaN that nothing explains where it first is', async () => {
    const found = await compare({
      model: model('llama-grouped'),
      other: path.join(golden, 'diff/nan.safetensors'),
      ids: known.ids,
    });
    expect(found.findings[0]).toMatchObject({ site: 'blocks.1.mlp_out', relative: null, explanations: [] });
    expect(found.findings[0]?.signs[0]).toMatch(/NaN or infinite, and what they are made of agrees/);
  });

  it('finds the matrix that is quantised more coarsely than the rest, which is noise too', async () => {
    const other = path.join(golden, 'diff/quantised.safetensors');
    const found = await compare({ model: model('llama-grouped'), other, ids: known.ids, floor: 0.03 });
    expect(found.findings[0]?.site).toBe('blocks.1.mlp.pre_linear');
    expect(found.outliers.map((o) => o.name)).toContain('blocks.1.mlp.pre_linear');
    expect(found.outliers.every((o) => o.name.startsWith('blocks.1.'))).toBe(true);
  });
});

describe('two models', () => {
  it('agree with themselves to the last bit', async () => {
    const found = await compare({ model: model('gpt2-default'), other: model('gpt2-default'), ids: known.ids });
    expect(found).toMatchObject({ agree: true, findings: [], weights: [], config: [], onlyA: [], onlyB: [] });
    expect(found.sites.every((s) => s.relative === 0)).toBe(true);
    expect(found.output?.kl).toBe(0);
  });

  it('explains a field of the config by that field, with the edit that does the same', async () => {
    const other = await changed('llama-grouped', { rope_theta: 500000 });
    const found = await compare({ model: model('llama-grouped'), other, ids: known.ids });
    expect(found.findings[0]).toMatchObject({
      site: 'blocks.0.attn.rot_q',
      explanations: [{ id: 'config', edit: 'config rope_theta = 500000' }, { id: 'rope-base' }],
      proof: { reach: 'everywhere', next: null },
    });
    const mended = await compare({
      ...{ model: model('llama-grouped'), other, ids: known.ids },
      edits: [{ text: 'config rope_theta = 500000' }],
    });
    expect(mended.agree).toBe(true);
  });

  it('goes on behind the first difference to the next', async () => {
    const other = await changed('llama-grouped', { rope_theta: 500000, hidden_act: 'gelu' });
    const found = await compare({ model: model('llama-grouped'), other, ids: known.ids });
    expect(found.findings.map((f) => f.explanations[0]?.edit)).toEqual([
      'config rope_theta = 500000',
      'config hidden_act = "gelu"',
    ]);
    expect(found.findings[1]?.proof?.next).toBeNull();
  });

  it('says where an edit of the other side begins to show, and which weight it changed', async () => {
    const found = await compare({
      ...{ model: model('llama-grouped'), other: model('llama-grouped'), ids: known.ids },
      otherEdits: [{ text: 'scale blocks.1.attn.z[head=2] by 0' }],
    });
    expect(found.findings[0]).toMatchObject({ site: 'blocks.1.attn.z' });
    expect(found.findings[0]?.signs).toContain('only heads 2 differ');
  });

  it('judges each layer by its own part where quantising makes noise everywhere', async () => {
    const gguf = (name: string): string => path.join(golden, 'gguf', `${name}.gguf`);
    const tied = await compare({ model: gguf('qwen3-f32'), other: gguf('qwen3-tied-q5_0'), ids: [5, 42, 9, 9, 31] });
    expect(tied).toMatchObject({ byLayer: true, agree: false, b: { dtype: 'Q5_0' } });
    expect(tied.findings).toHaveLength(1);
    expect(tied.findings[0]).toMatchObject({
      site: 'logits',
      explanations: [{ edit: 'config tie_word_embeddings = true' }, { id: 'tied-head' }],
      proof: { next: null },
    });
    const sound = await compare({ model: gguf('gpt2-f32'), other: gguf('gpt2-q8_0'), ids: [5, 42, 9, 9, 31] });
    expect(sound).toMatchObject({ byLayer: true, agree: true, findings: [] });
  });

  it('tells where the text is cut into other tokens, and gives both the same', async () => {
    const found = await compare({
      ...{ model: model('llama-grouped'), other: model('gpt2-default'), prompt: 't5 t9', explain: false },
    });
    expect(found.tokens.map((t) => t.id)).toEqual([5, 9]);
    expect(found.unlike.length).toBeGreaterThan(0);
  });
});

describe('values that were stored', () => {
  it('compares a model with a file that inspect wrote', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'diff-'));
    folders.push(folder);
    const out = path.join(folder, 'values.safetensors');
    await inspect.run(inspectInput.parse({ model: model('t5-default'), ids: [3, 5, 8], sites: '**', out }), silent());
    const found = await compare({ model: model('t5-default'), other: out, ids: [3, 5, 8] });
    expect(found).toMatchObject({ agree: true, onlyB: [] });
    const turned = await compare({ model: out, other: model('t5-default'), ids: [3, 5, 8] });
    expect(turned).toMatchObject({ agree: true, a: { kind: 'model' }, b: { kind: 'values' } });
  });

  it('takes the prompt from a recording', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'diff-'));
    folders.push(folder);
    const record = path.join(folder, 'run.cutrec');
    await inspect.run(
      inspectInput.parse({ model: model('gpt2-default'), ids: [3, 5, 8], sites: '**', record }),
      silent(),
    );
    expect(await compare({ model: model('gpt2-default'), other: record })).toMatchObject({ agree: true });
    expect(await compare({ model: record, other: record })).toMatchObject({ agree: true, a: { kind: 'recording' } });
  });

  it('refuses what has nothing in common', async () => {
    const weights = path.join(model('gpt2-default'), 'model.safetensors');
    const wrong = compare({ model: model('gpt2-default'), other: weights, ids: [1] });
    await expect(wrong).rejects.toMatchObject({ info: { code: 'DIFF_NOTHING_IN_COMMON' } });
  });

  it('refuses values that do not fit into memory before any is computed', async () => {
    const wrong = compare({ model: model('gpt2-default'), other: model('gpt2-default'), ids: [1, 2], maxBytes: 100 });
    await expect(wrong).rejects.toMatchObject({ info: { code: 'MEMORY_LIMIT' } });
  });

  it('gives the same in parts as in one', async () => {
    const request = {
      model: model('gpt2-default'),
      other: path.join(golden, 'diff/activation.safetensors'),
      ids: known.ids,
    };
    const [whole, parts] = [await compare(request), await compare({ ...request, maxBytes: 20_000 })];
    expect(parts.sites).toEqual(whole.sites);
  });
});
