import type { Scanner } from './scanner.js';
import type { Stack } from './sites.js';

const layerRef = /(?:(encoder|decoder)\.)?(\d{1,15})(?![\w.])/y;
const headRef = /(?:(encoder|decoder)\.|(decoder)\.(cross)\.)?(\d{1,15})\.(\d{1,15})(?![\w.])/y;

export interface LayerRef {
  readonly stack?: Stack;
  readonly layer: number;
}
export const scanLayer = (s: Scanner): LayerRef => {
  const found = s.expectMatch(layerRef, 'a layer such as 3 or decoder.3');
  return { ...(found[1] === undefined ? {} : { stack: found[1] as Stack }), layer: Number(found[2]) };
};
export const formatLayer = (stack: Stack | undefined, layer: number): string => `${stack ? `${stack}.` : ''}${layer}`;

export interface HeadRef extends LayerRef {
  readonly attention?: 'cross';
  readonly head: number;
}
export const scanHead = (s: Scanner): HeadRef => {
  const found = s.expectMatch(headRef, 'a layer and a head such as 3.2 or decoder.cross.3.2');
  const stack = found[1] ?? found[2];
  return {
    ...(stack === undefined ? {} : { stack: stack as Stack }),
    ...(found[3] === undefined ? {} : { attention: 'cross' }),
    layer: Number(found[4]),
    head: Number(found[5]),
  };
};
export const formatHead = ({ stack, attention, layer, head }: HeadRef): string =>
  `${stack ? `${stack}.` : ''}${attention ? `${attention}.` : ''}${layer}.${head}`;
