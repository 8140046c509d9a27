import type { Json } from '../base/index.js';
import type { Where } from './selectors.js';
import type { SiteName, Stack } from './sites.js';

/** Steps of a run, both included; 0 is the prefill. Without `to`, all later ones. */
export interface Steps {
  readonly from: number;
  readonly to?: number;
}
/** A tensor in a safetensors file. */
export interface FileTensor {
  readonly file: string;
  readonly name: string;
}
/** A token by its text or its id. */
export type Token = string | number;
/** The unit difference of two rows of the unembedding, or of the embedding. */
export interface Direction {
  readonly plus: Token;
  readonly minus: Token;
  readonly in?: 'embed';
}
/** What a site is set to. The files and the prompt: the mean over a prompt set, another prompt's value, a recorded one. */
export type SetValue =
  number | 'zero' | 'mean' | { readonly mean: string } | { readonly prompt: string } | { readonly recording: string };

/** A change of a value: where, and in which steps (left out: all). */
interface AtSite {
  readonly site: SiteName;
  readonly where?: Where;
  readonly steps?: Steps;
}
interface AtGradient {
  readonly site: SiteName;
  readonly where?: Where;
}
/** Layers as in the loaded model, from 0. */
interface InStack {
  readonly stack?: Stack;
}

export interface SetEdit extends AtSite {
  readonly edit: 'set';
  readonly to: SetValue;
}
export interface ScaleEdit extends AtSite {
  readonly edit: 'scale';
  readonly by: number;
}
export interface AddEdit extends AtSite {
  readonly edit: 'add';
  readonly by: number;
  readonly vector: Direction | FileTensor;
}
/** `by` times the outer product of two vectors: `out` x `in`, whatever the file's layout. */
export interface OuterProduct {
  readonly by: number;
  readonly out: FileTensor;
  readonly in: FileTensor;
}
/** An outer product is added (`+=`) to the whole weight, never to a part of it. */
export interface WeightEdit {
  readonly edit: 'weight';
  readonly name: string;
  readonly where?: Where;
  readonly op: '=' | '*=' | '+=';
  readonly value: number | OuterProduct;
}
export interface ReplaceWeightEdit {
  readonly edit: 'replace weight';
  readonly name: string;
  readonly from: FileTensor;
}
export interface SkipLayerEdit extends InStack {
  readonly edit: 'skip layer';
  readonly layer: number;
}
export interface RepeatLayerEdit extends InStack {
  readonly edit: 'repeat layer';
  readonly layer: number;
}
export interface SwapLayersEdit extends InStack {
  readonly edit: 'swap layers';
  readonly layers: readonly [number, number];
}
export interface DropHeadEdit extends InStack {
  readonly edit: 'drop head';
  readonly attention?: 'cross';
  readonly layer: number;
  readonly head: number;
}
export interface ReplaceActivationEdit {
  readonly edit: 'replace activation';
  readonly with: string;
}
export interface ConfigEdit {
  readonly edit: 'config';
  readonly field: string;
  readonly value: Json;
}
export interface ScaleGradEdit extends AtGradient {
  readonly edit: 'scale grad';
  readonly by: number;
}
export interface SetGradEdit extends AtGradient {
  readonly edit: 'set grad';
  readonly to: number | 'zero';
}
export interface PromptEdit {
  readonly edit: 'prompt';
  readonly text: string;
}
export interface ForceTokenEdit {
  readonly edit: 'force token';
  readonly token: Token;
  readonly step: number;
}
export const samplingEdits = ['temperature', 'top-k', 'top-p', 'min-p', 'repetition-penalty', 'seed'] as const;
export type SamplingKind = (typeof samplingEdits)[number];
export interface SamplingEdit<K extends SamplingKind = SamplingKind> {
  readonly edit: K;
  readonly value: number;
}

/**
 * One change, as data; `edit` is the words with which its text begins. A list of them is applied in order.
 */
export type Edit =
  | SetEdit
  | ScaleEdit
  | AddEdit
  | WeightEdit
  | ReplaceWeightEdit
  | SkipLayerEdit
  | RepeatLayerEdit
  | SwapLayersEdit
  | DropHeadEdit
  | ReplaceActivationEdit
  | ConfigEdit
  | ScaleGradEdit
  | SetGradEdit
  | PromptEdit
  | ForceTokenEdit
  | { [K in SamplingKind]: SamplingEdit<K> }[SamplingKind];
export type EditKind = Edit['edit'];
export type EditOf<K extends EditKind> = Extract<Edit, { edit: K }>;

/** A named, ordered list of edits: the JSON file. */
export interface Experiment {
  readonly experiment: 1;
  readonly name?: string;
  /** The model it was made for. */
  readonly model?: { readonly fingerprint?: string };
  readonly edits: readonly Edit[];
}

/** Whether an edit with these steps applies in one; without steps it applies in all. */
export const inSteps = (steps: Steps | undefined, step: number): boolean =>
  steps === undefined || (step >= steps.from && step <= (steps.to ?? Infinity));

/** Texts of edits and experiments are refused beyond this. */
export const longestEditsText = 1_000_000;
