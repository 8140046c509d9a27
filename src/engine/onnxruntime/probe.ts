import { add, GraphBuilder } from '../../graph/index.js';
import type { Weights } from '../../formats/index.js';
import { float32 } from '../../tensor/index.js';
import type { Backend } from '../backend.js';
import { failed } from './ort.js';

/**
 * Runs a graph of one addition, to see whether a device works at all.
 * @throws EngineError ENGINE_FAILED
 */
export const probe = async (backend: Backend): Promise<void> => {
  const builder = new GraphBuilder('probe');
  const x = builder.input('x', { dtype: 'float32', shape: [4], axes: ['model'] });
  const none = { names: () => [], info: () => undefined, read: () => undefined } as unknown as Weights;
  const executable = await backend.compile(builder.finish({ y: add(x, x) }), none);
  const results = await executable.run(new Map([['x', float32([4], new Float32Array([1, 2, 3, 4]))]]), ['y']);
  await executable.dispose();
  const sum = results.get('y')?.data.join();
  if (sum !== '2,4,6,8') throw failed(`${backend.name} adds wrongly: ${sum ?? 'nothing'}`);
};
