import type { ModelPicture, PictureBlock } from '../../../protocol/index.js';
import { layerOf } from '../../look/names.js';

/** A column of the picture: a stack, its last segment first, as one looks at it from above. */
export interface Column {
  readonly stack: 'encoder' | 'decoder' | undefined;
  readonly blocks: readonly PictureBlock[];
}

/** The encoder left of the decoder; what a decoder makes once of the encoder's end is the line between them. */
export const columnsOf = ({ blocks }: ModelPicture): readonly Column[] => {
  const stacks = [...new Set(blocks.map((b) => b.stack))];
  return stacks.map((stack) => ({
    stack,
    blocks: blocks.filter((b) => b.stack === stack && b.kind !== 'cross').reverse(),
  }));
};

/** How a layer is named in edits: `3`, `decoder.3`; undefined for what is no layer. */
export const layerName = ({ id, kind }: PictureBlock): string | undefined =>
  kind === 'block' ? layerOf(id) : undefined;

export const skipEdit = (layer: string): string => `skip layer ${layer}`;
export const repeatEdit = (layer: string): string => `repeat layer ${layer}`;
