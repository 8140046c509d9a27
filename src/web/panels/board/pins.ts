import { parseEdits, type Edit } from '../../../language/index.js';
import type { Pin } from './draw.js';

/** `blocks.3.attn.z` stands in `blocks.3`; undefined for what is in no block. */
const blockOf = (site: string): string | undefined => /^(?:\w+\.)?blocks\.\d+(?:#\d+)?/.exec(site)?.[0];

const layerName = ({ stack, layer }: { readonly stack?: string; readonly layer: number }): string =>
  `${stack === undefined ? '' : `${stack}.`}blocks.${layer}`;

const blocksOf = (edit: Edit): readonly string[] => {
  switch (edit.edit) {
    case 'set':
    case 'scale':
    case 'add':
      return [blockOf(edit.site)].filter((name) => name !== undefined);
    case 'drop head':
    case 'skip layer':
    case 'repeat layer':
      return [layerName(edit)];
    case 'swap layers':
      return edit.layers.map((layer) => layerName({ ...edit, layer }));
    default:
      return [];
  }
};

const positionOf = (edit: Edit, length: number): number | undefined => {
  const chosen = 'where' in edit ? (edit.where['position'] ?? edit.where['query']) : undefined;
  if (typeof chosen !== 'number') return undefined;
  return chosen < 0 ? length + chosen : chosen;
};

/** Where edits sit on a board with these rows: on a cell, or on a whole layer. What cannot be read sits nowhere. */
export const pinsOf = (texts: readonly string[], rows: readonly string[], length: number): readonly Pin[] =>
  texts.flatMap((text) => {
    try {
      return parseEdits(text).flatMap((edit) =>
        blocksOf(edit).flatMap((name) => {
          const row = rows.indexOf(name);
          return row < 0 ? [] : [{ row, position: positionOf(edit, length) }];
        }),
      );
    } catch {
      return []; // the experiment's panel tells what is wrong with it
    }
  });
