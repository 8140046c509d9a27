import type { Weights } from '../../formats/index.node.js';
import { bytesPer, sizeOf, type Tensor } from '../../tensor/index.js';
import type { Recording } from '../recording/open-recorded.js';
import type { OpenSide } from './side.js';

/** The prefill of a recording: the values of which it has all. */
export const recordedSide = (recording: Recording): OpenSide => {
  const { sites, model } = recording.manifest;
  const whole = new Map(
    sites.filter((s) => s.step === 0 && Object.keys(s.indices ?? {}).length === 0).map((s) => [s.name, s]),
  );
  return {
    told: { name: recording.file, kind: 'recording', model: model.summary },
    sites: [...whole.keys()],
    axesOf: (site) => whole.get(site)?.axes,
    bytesOf: (site) => sizeOf(whole.get(site)?.shape ?? [0]) * bytesPer.float32,
    read: async (names) => {
      const values = new Map<string, Tensor>();
      for (const name of names) {
        const site = whole.get(name);
        if (site) values.set(name, await recording.read(site));
      }
      return values;
    },
  };
};

/**
 * Values in a safetensors file, by the names of sites or their aliases.
 * @param canonical the name of the site that a name in the file means
 */
export const valuesSide = (file: string, values: Weights, canonical: (name: string) => string): OpenSide => {
  const stored = new Map(values.names().map((name) => [canonical(name), name]));
  return {
    told: { name: file, kind: 'values' },
    sites: [...stored.keys()],
    axesOf: () => undefined,
    bytesOf: (site) => sizeOf(values.info(stored.get(site) ?? '').shape) * bytesPer.float32,
    read: async (names) => {
      const read = new Map<string, Tensor>();
      for (const name of names) {
        const own = stored.get(name);
        if (own !== undefined) read.set(name, await values.read(own));
      }
      return read;
    },
  };
};
