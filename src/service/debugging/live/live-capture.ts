import { float32, type Tensor } from '../../../tensor/index.js';
import type { AgentConnection } from './agent-connection.node.js';
import { axesFor } from './live-items.js';
import type { LiveSite } from './live-sites.js';

/** A pass that is run for its values alone. */
export interface CaptureRequest {
  readonly connection: AgentConnection;
  readonly ids: readonly number[];
  /** Of an encoder-decoder: what its decoder is given. */
  readonly targetIds?: readonly number[];
}

export interface Captured {
  readonly tensor: Tensor<'float32'>;
  readonly axes: readonly string[];
}

const ask = ({ connection, ids, targetIds }: CaptureRequest, sites: readonly LiveSite[], more: object = {}) => {
  const refs = Object.fromEntries(sites.map(({ name, at }) => [name, at]));
  return connection.ask('capture', { ids, refs, ...(targetIds ? { targetIds } : {}), ...more });
};

/** Half precision comes as float32; whole numbers and float64 are left out. */
const isFloat = ({ dtype }: { readonly dtype: string }): boolean => dtype === 'float32';

/** The values of sites in one pass; those that no module gave are left out. */
export const capturedValues = async (
  request: CaptureRequest,
  sites: readonly LiveSite[],
): Promise<ReadonlyMap<string, Captured>> => {
  const { result, payload } = await ask(request, sites);
  const axes = new Map(sites.map((site) => [site.name, site.axes]));
  return new Map(
    result.values.filter(isFloat).map(({ name, shape, offset, bytes }) => {
      const tensor = float32(shape, new Float32Array(payload.buffer.slice(offset, offset + bytes)));
      return [name, { tensor, axes: axesFor(axes.get(name) ?? [], { shape, axes: undefined }) }] as const;
    }),
  );
};

/** Their shapes alone. */
export const capturedShapes = async (
  request: CaptureRequest,
  sites: readonly LiveSite[],
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const { result } = await ask(request, sites, { shapes: true });
  return new Map(result.values.filter(isFloat).map(({ name, shape }) => [name, shape] as const));
};
