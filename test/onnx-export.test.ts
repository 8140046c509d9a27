import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forward, makeInput, makeRows, runOrder } from '../src/engine/index.js';
import { toOnnx, typesOf, wholeGraph, type Storage } from '../src/graph/index.js';
import { openModel } from '../src/service/index.js';
import { sizeOf, type Tensor } from '../src/tensor/index.js';
import { goldenFolder, worstDifference } from './support/golden.js';
import { pythonOrSkip } from './support/python.js';
import { root } from './support/root.js';

const ids = [5, 42, 9, 9, 31, 0, 58];
/** What an encoder-decoder reads. */
const source = [7, 12, 3, 44];
/** onnx's evaluator computes in NumPy's float32: sums in another order than ours. */
const tolerance = 2e-5;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-onnx-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const asJson = (tensor: Tensor) => ({
  dtype: tensor.dtype,
  shape: tensor.shape,
  data: Array.from(tensor.data as Float32Array, Number),
});

describe.each([
  'gpt2-default',
  'llama-grouped',
  'bert-masked',
  'roberta-three-labels',
  't5-gated',
  'bart-default',
  'marian-default',
])('%s exported as ONNX', (variant) => {
  it('passes the checker, uses standard operators only, and computes the same on the reference evaluator', async (context) => {
    const python = pythonOrSkip(context, 'onnx', 'numpy');
    const model = await openModel(path.join(goldenFolder, variant), { device: 'cpu', engine: 'onnxruntime' });
    const graph = wholeGraph(model.program);
    const inline = new Map<string, Storage>();
    for (const { name } of graph.params) inline.set(name, { kind: 'inline', tensor: await model.weights.read(name) });
    const storage = ({ name }: { readonly name: string }): Storage => inline.get(name) ?? { kind: 'input' };
    const file = path.join(folder, `${variant}.onnx`);
    writeFileSync(file, toOnnx(graph, { target: 'standard', storage, names: 'graph' }));

    const read = model.program.facts.encoder ? { source } : {};
    const encoder = makeRows({ ids: [source], past: 0, step: 0 });
    const decoder = makeRows({ ids: [ids], past: 0, step: 0, source: encoder });
    const types = typesOf(graph);
    const feeds = graph.inputs.map(({ id, name }) => {
      const rule = model.program.inputs[name];
      if (rule) return [name, asJson(makeInput(rule, name.startsWith('encoder.') ? encoder : decoder))] as const;
      const shape = (types.get(id)?.shape ?? []).map((d) => (d === 'batch' ? 1 : d === 'past' ? 0 : Number(d)));
      return [name, { dtype: 'float32', shape, data: new Array<number>(sizeOf(shape)).fill(0) }] as const;
    });
    const inputs = path.join(folder, `${variant}.json`);
    writeFileSync(inputs, JSON.stringify(Object.fromEntries(feeds)));

    const out = execFileSync(python, [path.join(root, 'test/python/check_onnx.py'), file, inputs], {
      encoding: 'utf8',
    });
    const result = JSON.parse(out) as { logits: number[]; domains: string[]; nodes: number };
    expect(result.domains).toEqual(['']);
    const plain = { order: runOrder(model.program, []), edits: new Map(), weights: new Map() };
    const { logits } = await forward(model, {
      ...{ variant: plain, ids: [ids], capture: new Set<string>(), logits: 'all' },
      ...(read.source ? { source: [read.source] } : {}),
    });
    expect(worstDifference(result.logits, logits?.data ?? [])).toBeLessThan(tolerance);
    await model.dispose();
  });
});
