import type { Client } from '../../../client/index.js';
import type { ComponentPart, ComponentsResult } from '../../../protocol/index.js';
import type { Request } from '../../state/request.js';

export interface ComponentsRequest {
  readonly request: Request;
  readonly position: number;
  /** Whose score is told apart. */
  readonly word: number;
}

/** What each part gives to the score of a word, as the next after a position. */
export const readComponents = (
  client: Client,
  { request, position, word }: ComponentsRequest,
  signal: AbortSignal,
): Promise<ComponentsResult> => {
  const edits = request.edits.map((text) => ({ text }));
  return client.request('components', { ...request.input, edits, position, word }, { signal });
};

/** What each part gives more in B than in A; parts are those of A that B has too. */
export const componentsBetween = (a: ComponentsResult, b: ComponentsResult): ComponentsResult => {
  const nameOf = ({ part, name }: ComponentPart): string => `${part} ${name}`;
  const theirs = new Map(b.parts.map((part) => [nameOf(part), part.value]));
  const parts = a.parts.flatMap((part) => {
    const value = theirs.get(nameOf(part));
    return value === undefined ? [] : [{ ...part, value: value - part.value }];
  });
  return { ...a, parts, sum: b.sum - a.sum, residual: b.residual - a.residual };
};

/** A layer's parts: its heads in order, those of cross-attention behind them, and its MLP. */
export interface LayerParts {
  readonly layer: string;
  readonly heads: readonly ComponentPart[];
  readonly mlp: ComponentPart | undefined;
}

/** The layers of a result, the last on top. */
export const layersOf = (parts: readonly ComponentPart[]): readonly LayerParts[] => {
  const layers = [...new Set(parts.flatMap((p) => (p.part === 'head' ? (p.layer ?? []) : [])))];
  return layers.reverse().map((layer) => {
    const own = parts.filter((p) => p.layer === layer);
    return {
      layer,
      heads: own.filter((p) => p.part === 'head' || p.part === 'cross-head'),
      mlp: own.find((p) => p.part === 'mlp'),
    };
  });
};

/** The parts that give most, up or down, the largest first. */
export const strongestOf = (parts: readonly ComponentPart[], most: number): readonly ComponentPart[] =>
  [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, most);

/** The row of the board that a layer is: `3` is `blocks.3`, `decoder.3` is `decoder.blocks.3`. */
export const rowOfLayer = (layer: string): string => layer.replace(/(?=\d+(#\d+)?$)/, 'blocks.');
