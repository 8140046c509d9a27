import type { OpenModel } from './open-model.js';
import { paramsOf } from './check-weights.js';

const hasNaN = (data: ArrayLike<number>): boolean => {
  for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) return true;
  return false;
};

/** Where scores are NaN: which weights hold one, as a note. Reads all weights, so only when something is wrong. */
export const nanNote = async (model: OpenModel, logits: Float32Array): Promise<string | undefined> => {
  if (!hasNaN(logits)) return undefined;
  const broken: string[] = [];
  for (const param of paramsOf(model.program)) {
    const { data } = await model.weights.read(param.name);
    if (hasNaN(data)) broken.push(param.name);
    if (broken.length === 3) break;
  }
  if (broken.length === 0) return 'the scores hold NaN, and no weight of the file does: it arises on the way';
  return `the scores hold NaN: so do the weights ${broken.join(', ')}`;
};
