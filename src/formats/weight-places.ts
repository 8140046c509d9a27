import { ModelError, nearest } from '../base/index.js';
import type { WeightFile, WeightInfo } from './weights.js';

/** A tensor and the file that it lies in. */
export interface Place<F extends WeightFile> {
  readonly file: F;
  readonly info: WeightInfo;
}

export interface Places<F extends WeightFile> {
  readonly names: () => readonly string[];
  /** @throws ModelError TENSOR_MISSING */
  readonly of: (name: string) => Place<F>;
}

const missing = (name: string, names: Iterable<string>): ModelError =>
  new ModelError(`the weights have no tensor ${name}`, {
    code: 'TENSOR_MISSING',
    hint: `The nearest names: ${nearest(name, [...names]).join(', ')}.`,
    details: { name },
  });

/** Where the tensors of some files are. Where two files hold a name, the first counts, or the one that `listed` names. */
export const placesIn = <F extends WeightFile>(
  files: readonly F[],
  listed: ReadonlyMap<string, F> = new Map(),
): Places<F> => {
  const places = new Map<string, Place<F>>();
  for (const file of files)
    for (const [name, stored] of file.tensors) {
      if (places.has(name) || (listed.get(name) ?? file) !== file) continue;
      places.set(name, { file, info: { name, ...stored, file: file.path } });
    }
  return {
    names: () => [...places.keys()],
    of: (name) => {
      const place = places.get(name);
      if (place) return place;
      throw missing(name, places.keys());
    },
  };
};
