import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { openWeights } from '../../../src/formats/index.node.js';
import { goldenFolder, promptOf, readGolden, worstDifference, type Golden } from '../../support/golden.js';
import type { Exercise, Numbers, Outcome } from '../page/exercise.js';

/** What is computed of a model, and what PyTorch computed of it. */
export interface Prepared {
  readonly asked: Exercise;
  readonly expected: ReadonlyMap<string, Numbers>;
  readonly greedy: readonly number[];
}

interface EditEntry {
  readonly name: string;
  readonly edits: readonly string[];
  readonly promptIds: readonly number[];
  readonly logits: string;
  readonly generated?: readonly number[];
}

/** Edits that need no tokenizer, no file and no other config. */
const needsNothing = ({ edits, generated }: EditEntry): boolean =>
  generated === undefined && edits.every((e) => !/ from |direction|vector|^config|^replace/.test(e));

const editEntries = (variant: string): readonly EditEntry[] => {
  const json = readFileSync(path.join(goldenFolder, variant, 'edits.json'), 'utf8');
  return (JSON.parse(json) as { entries: readonly EditEntry[] }).entries.filter(needsNothing);
};

const prepareEdits = async (variant: string): Promise<Pick<Prepared, 'expected'> & Pick<Exercise, 'edited'>> => {
  const tensors = await openWeights(path.join(goldenFolder, variant, 'edits.safetensors'));
  const expected = new Map<string, Numbers>();
  const edited: Exercise['edited'][number][] = [];
  for (const { name, edits, promptIds, logits } of editEntries(variant)) {
    const { data } = await tensors.read(logits);
    expected.set(`edit ${name}`, { shape: [], values: [...data] });
    edited.push({ name, edits: edits.join('\n'), ids: promptIds });
  }
  await tensors.close();
  return { expected, edited };
};

const onlyIds = (prompt: Golden['prompts'][string]): readonly number[] => {
  const { ids, source } = promptOf(prompt);
  if (source || !ids[0]) throw new Error('a variant with an encoder is not for this test');
  return ids[0];
};

/** All that a golden variant has, and some of its edits. @param withEdits not every variant has them */
export const prepare = async (variant: string, withEdits: boolean): Promise<Prepared> => {
  const { golden, tensors } = await readGolden(variant);
  const { expected: edits, edited } = withEdits ? await prepareEdits(variant) : { expected: [], edited: [] };
  const expected = new Map<string, Numbers>(edits);
  const sites: Record<string, string[]> = {};
  for (const name of tensors.names()) {
    const [prompt = '', ...site] = name.split('.');
    const { shape, data } = await tensors.read(name);
    const ofPrompt = prompt in golden.prompts;
    if (ofPrompt) (sites[prompt] ??= []).push(site.join('.'));
    expected.set(name, { shape: ofPrompt ? [1, ...shape] : [], values: [...data] });
  }
  await tensors.close();
  if (!golden.greedy) throw new Error(`${variant} does not generate`);
  const { prompt, ids } = golden.greedy;
  const prompts = Object.fromEntries(Object.entries(golden.prompts).map(([name, p]) => [name, onlyIds(p)]));
  return { asked: { prompts, sites, greedy: { ids: prompt, newTokens: ids.length }, edited }, expected, greedy: ids };
};

/** Everything that PyTorch computed too, under the names that it has there. A shape of [] is not compared. */
export const valuesOf = ({ sites, edited, greedy, greedyUncached }: Outcome): ReadonlyMap<string, Numbers> =>
  new Map([
    ...Object.entries(sites),
    ...Object.entries(edited).map(([name, numbers]) => [`edit ${name}`, numbers] as const),
    ['greedy.logits', { shape: [], values: greedy.logits }],
    ['greedyUncached.logits', { shape: [], values: greedyUncached.logits }],
  ]);

/** Compares every value of two sides; gives how many numbers there were. */
export const compare = (
  actual: ReadonlyMap<string, Numbers>,
  expected: ReadonlyMap<string, Numbers>,
  tolerance: number,
): number => {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  let compared = 0;
  for (const [name, { shape, values }] of expected) {
    const found = actual.get(name);
    if (shape.length > 0) expect(found?.shape, name).toEqual(shape);
    expect(worstDifference(found?.values ?? [], values), name).toBeLessThan(tolerance);
    compared += values.length;
  }
  return compared;
};
