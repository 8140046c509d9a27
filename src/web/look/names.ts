/** `blocks.3` as `L3`, `decoder.blocks.3#2` as `L3#2`, `embed` as `in`. */
export const rowName = (after: string): string => {
  const [, layer] = /blocks\.(\d+(?:#\d+)?)$/.exec(after) ?? [];
  return layer === undefined ? 'in' : `L${layer}`;
};

/** The layer of a row as edits name it: `3`, `decoder.3`; undefined for the embedding. */
export const layerOf = (after: string): string | undefined => {
  const [, stack = '', layer] = /^(?:(\w+\.))?blocks\.(\d+)(?:#\d+)?$/.exec(after) ?? [];
  return layer === undefined ? undefined : `${stack}${layer}`;
};
