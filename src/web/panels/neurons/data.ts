import type { Client, View } from '../../../client/index.js';
import { DebuggerError } from '../../../base/index.js';
import type { KnockoutResult, WritesResult, Written } from '../../../protocol/index.js';
import type { Request } from '../../state/request.js';

/** One layer's neurons at one token, as a strip: a pixel the activation farthest from 0 of those under it. */
export interface NeuronStrip {
  /** `blocks.3` */
  readonly block: string;
  readonly neurons: number;
  readonly strip: Float32Array;
}

/** A neuron, and what the model says with it set to 0 at the token. */
export interface StrongNeuron {
  readonly neuron: number;
  readonly activation: number;
  readonly edit: string;
  readonly outcome: KnockoutResult['parts'][number] | undefined;
  /** What it writes by the direct way; undefined where the head cannot be read so. */
  readonly written: Written | undefined;
}

export interface NeuronRun {
  readonly client: Client;
  readonly request: Request;
  readonly run: string;
  readonly position: number;
  readonly signal: AbortSignal;
}

/** Pixels of a strip at the most. */
const widest = 512;
const listed = 12;
const sites = '**.mlp.post';

const pixels = (view: View): Float32Array => new Float32Array(view.data.buffer);

/** Captures all neurons at a token. @returns a strip a layer, the lowest first */
export const readStrips = async ({ client, request, run, position, signal }: NeuronRun): Promise<NeuronStrip[]> => {
  const edits = request.edits.map((text) => ({ text }));
  const given = { ...request.input, edits, sites: `${sites}[position=${position}]`, run };
  const { sites: found } = await client.request('capture', given, { signal });
  const own = found.filter(({ name }) => !name.startsWith('encoder.'));
  return Promise.all(
    own.map(async ({ name, shape }) => {
      const neurons = shape.at(-1) ?? 1;
      const level = Math.max(0, Math.ceil(Math.log2(neurons / widest)));
      const as = { kind: 'maxPyramid', level, size: 4096, by: 'absmax' } as const;
      const view = await client.view({ at: { run, site: name }, as }, { signal });
      return { block: name.replace(/\.mlp\.post$/, ''), neurons, strip: pixels(view) };
    }),
  );
};

/** The same of how B differs from A at the positions that stand for each other; a strip a layer that both have. */
export const readStripsBetween = async (a: NeuronRun, b: NeuronRun): Promise<NeuronStrip[]> => {
  const own = await readStrips(a);
  await readStrips(b);
  const each = own.map(async ({ block, neurons }): Promise<NeuronStrip | undefined> => {
    const site = `${block}.mlp.post`;
    const level = Math.max(0, Math.ceil(Math.log2(neurons / widest)));
    const as = { kind: 'maxPyramid', level, size: 4096, by: 'absmax' } as const;
    const asked = { at: { run: b.run, site }, minus: { run: a.run, site }, as };
    const view = await a.client.view(asked, { signal: a.signal }).catch(() => undefined); // B has no such layer
    return view && { block, neurons, strip: pixels(view) };
  });
  return (await Promise.all(each)).filter((strip) => strip !== undefined);
};

/** A neuron whose activations differ. */
export interface ChangedNeuron {
  readonly neuron: number;
  readonly a: number;
  readonly b: number;
}

/** The neurons of a layer that differ most, those of both runs captured before. */
export const readChanged = async (a: NeuronRun, b: NeuronRun, block: string): Promise<readonly ChangedNeuron[]> => {
  const site = `${block}.mlp.post`;
  const [at, minus] = [
    { run: b.run, site },
    { run: a.run, site },
  ];
  const top = await a.client.view({ at, minus, as: { kind: 'topk', k: listed, by: 'absolute' } }, { signal: a.signal });
  const own = await a.client.view({ at: minus, as: { kind: 'slice' } }, { signal: a.signal });
  const values = pixels(own);
  const found = top.view.kind === 'topk' ? top.view.top : [];
  return found.map(({ index, value }) => {
    const neuron = index.at(-1) ?? 0;
    const before = values[neuron] ?? NaN;
    return { neuron, a: before, b: before + (value ?? NaN) };
  });
};

/** The strongest neurons of a layer, and the run without each. */
export const readStrongest = async (
  { client, request, run, position, signal }: NeuronRun,
  block: string,
  word: number,
): Promise<readonly StrongNeuron[]> => {
  const site = `${block}.mlp.post`;
  const top = await client.view({ at: { run, site }, as: { kind: 'topk', k: listed, by: 'absolute' } }, { signal });
  const found = top.view.kind === 'topk' ? top.view.top : [];
  const neurons = found.map(({ index, value }) => {
    const neuron = index.at(-1) ?? 0;
    return { neuron, activation: value ?? NaN, edit: `set ${site}[position=${position}, neuron=${neuron}] = zero` };
  });
  const tries = neurons.map((n) => n.edit);
  // What is switched off here already is left out of the run that they are tried on.
  const edits = request.edits.filter((text) => !tries.includes(text)).map((text) => ({ text }));
  const { parts } = await client.request('knockout', { ...request.input, edits, tries, words: [word] }, { signal });
  const { neurons: written } = await readWrites({ client, request, run, position, signal }, block, {
    neurons: neurons.map((n) => n.neuron),
    word,
  });
  return neurons.map((n, i) => ({ ...n, outcome: parts[i], written: written[i] }));
};

const nothing: WritesResult = { neurons: [], taken: [], notes: [] };

/** What neurons write, as words. A head that bends, or that scores labels, has none of it. */
const readWrites = (
  { client, request, position, signal }: NeuronRun,
  block: string,
  { neurons, word }: { readonly neurons: readonly number[]; readonly word: number },
): Promise<WritesResult> => {
  const edits = request.edits.map((text) => ({ text }));
  const given = { ...request.input, edits, block, position, neurons: [...neurons], words: [word], top: 4 };
  return client.request('writes', given, { signal }).catch((error: unknown) => {
    if (error instanceof DebuggerError && ['METHOD_UNFIT', 'OPTION_INVALID'].includes(error.info.code)) return nothing;
    throw error;
  });
};
