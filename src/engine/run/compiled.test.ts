import { describe, expect, it } from 'vitest';
import type { Weights } from '../../formats/index.js';
import type { Segment, ValueEdit } from '../../graph/index.js';
import type { Backend } from '../backend.js';
import { Compilations, type Form } from './compiled.js';

const graph = {
  name: 'a',
  inputs: [{ id: 'x', name: 'resid', type: { dtype: 'float32', shape: [1], axes: ['a'] } }],
  params: [],
  nodes: [
    { id: 'y', op: 'Neg', attrs: {}, inputs: ['x'], scope: '', type: { dtype: 'float32', shape: [1], axes: ['a'] } },
  ],
  sites: ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, value: 'y', onRequest: false })),
  outputs: [{ name: 'resid', value: 'y' }],
};
const segment = { id: 'blocks.0', kind: 'block', graph, cache: [] } as unknown as Segment;

/** Counts what is open. */
const counting = (): { readonly backend: Backend; readonly open: Set<number> } => {
  const open = new Set<number>();
  let made = 0;
  const backend: Backend = {
    name: 'counting',
    compile: () => {
      const id = made++;
      open.add(id);
      const run = () => (open.has(id) ? Promise.resolve(new Map()) : Promise.reject(new Error('disposed')));
      return Promise.resolve({ run, dispose: () => Promise.resolve(void open.delete(id)) });
    },
    dispose: () => Promise.resolve(),
  };
  return { backend, open };
};

const tapping = (...taps: string[]): Form => ({ edits: [], weights: new Set(), taps });
const scaled: ValueEdit = { site: 'a', tag: 'edit0', form: 'scale', maskAxes: [], operandAxes: [] };

describe('kept forms of a segment', () => {
  it('never lose the one that is about to run, whatever forms there were', async () => {
    const { backend, open } = counting();
    const compilations = new Compilations(backend, {} as Weights);
    for (const site of ['a', 'b', 'c', 'd']) await compilations.get(segment, tapping(site));
    const { executable } = await compilations.get(segment, { ...tapping(), edits: [scaled] });
    await expect(executable.run(new Map(), [])).resolves.toBeDefined();
    expect(open.size).toBe(4);
  });

  it('keep the unedited one and are bounded', async () => {
    const { backend, open } = counting();
    const compilations = new Compilations(backend, {} as Weights);
    const plain = await compilations.get(segment, tapping());
    for (const site of ['a', 'b', 'c', 'd', 'e', 'a', 'b']) await compilations.get(segment, tapping(site));
    expect(open.size).toBe(4);
    expect((await compilations.get(segment, tapping())).executable).toBe(plain.executable);
  });
});
