import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openWeights, type Weights } from '../../src/formats/index.node.js';
import { root } from './root.js';

/** Where the tiny models are, with what transformers computes of them. */
export const goldenFolder = path.join(root, 'test/golden/models');

type Ids = readonly number[];

/** Ids, or, of an encoder-decoder, those of both halves. */
export type GoldenPrompt = Ids | { readonly source: Ids; readonly target: Ids };

/** A `golden.json`: what was made how. Tensors: `golden.safetensors`, named `PROMPT.SITE` without the batch axis. */
export interface Golden {
  readonly variant: string;
  readonly prompts: Readonly<Record<string, GoldenPrompt>>;
  /** Left out where the model does not generate. */
  readonly greedy?: { readonly prompt: Ids; readonly ids: Ids; readonly source?: Ids };
  readonly largestLogit: number;
}

export const goldenVariants = (): readonly string[] =>
  readdirSync(goldenFolder, { withFileTypes: true })
    .filter((entry) => existsSync(path.join(goldenFolder, entry.name, 'golden.json')))
    .map((entry) => entry.name)
    .sort();

const goldenOf = (variant: string): Golden =>
  JSON.parse(readFileSync(path.join(goldenFolder, variant, 'golden.json'), 'utf8')) as Golden;

/** Does this variant's model generate? */
export const generates = (variant: string): boolean => goldenOf(variant).greedy !== undefined;

/** The greedy generation of a model that generates. */
export const greedyOf = ({ greedy, variant }: Golden): NonNullable<Golden['greedy']> => {
  if (!greedy) throw new Error(`${variant} generates nothing`);
  return greedy;
};

/** A prompt as a batch of one. */
export const promptOf = (prompt: GoldenPrompt): { readonly ids: readonly Ids[]; readonly source?: readonly Ids[] } =>
  'target' in prompt ? { ids: [prompt.target], source: [prompt.source] } : { ids: [prompt] };

export const readGolden = async (
  variant: string,
): Promise<{ readonly folder: string; readonly golden: Golden; readonly tensors: Weights }> => {
  const folder = path.join(goldenFolder, variant);
  return { folder, golden: goldenOf(variant), tensors: await openWeights(path.join(folder, 'golden.safetensors')) };
};

/** The largest absolute difference; infinite where lengths differ or either is NaN. */
export const worstDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(d <= worst)) worst = Number.isNaN(d) ? Infinity : d;
  }
  return worst;
};
