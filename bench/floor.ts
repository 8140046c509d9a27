import { makeOnnxruntime } from '../src/engine/onnxruntime/index.node.js';
import { GraphBuilder, matMul } from '../src/graph/index.js';
import { float32 } from '../src/tensor/index.js';

const absent = (): never => {
  throw new Error('the graph has no weights');
};
const noWeights = { names: () => [], info: absent, read: absent, readBytes: absent, close: () => Promise.resolve() };

/** GFLOP/s of a large product: what the machine can do at most, measured in the same run as the rest. */
export const peakGflops = async (threads: number): Promise<number> => {
  const size = 1536;
  const builder = new GraphBuilder('peak');
  const type = { dtype: 'float32', shape: [size, size] } as const;
  const a = builder.input('a', { ...type, axes: ['row', 'inner'] });
  const b = builder.input('b', { ...type, axes: ['inner', 'column'] });
  const graph = builder.finish({ c: matMul(a, b) });
  const backend = await makeOnnxruntime({ device: 'cpu', binding: 'packed', threads });
  const executable = await backend.compile(graph, noWeights);
  const data = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i));
  const feeds = new Map([
    ['a', float32([size, size], data)],
    ['b', float32([size, size], data)],
  ]);
  let best = Infinity;
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    await executable.run(feeds, ['c']);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  await executable.dispose();
  return (2 * size ** 3) / best / 1e9;
};

/** Bytes a second that all threads together read: a bound for decoding, which reads all weights once a token. */
export const readBandwidth = async (threads: number): Promise<number> => {
  const [rows, columns] = [16384, 4096];
  const builder = new GraphBuilder('read');
  const x = builder.input('x', { dtype: 'float32', shape: [rows, columns], axes: ['row', 'column'] });
  const graph = builder.finish({ y: builder.op('ReduceSum', { axis: 1 }, [x]) });
  const backend = await makeOnnxruntime({ device: 'cpu', binding: 'packed', threads });
  const executable = await backend.compile(graph, noWeights);
  const data = new Float32Array(rows * columns).fill(1);
  let best = Infinity;
  for (let i = 0; i < 6; i++) {
    const start = performance.now();
    await executable.run(new Map([['x', float32([rows, columns], data)]]), ['y']);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  await executable.dispose();
  return data.byteLength / best;
};
