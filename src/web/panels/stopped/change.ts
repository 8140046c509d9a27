/**
 * A change of a value as an edit: a number, `zero`, `mean`, `*0.5`, or another right side of `set`. It counts at the
 * step that the run stands in; of a weight, everywhere.
 */
export const changeText = (place: string, value: string, step: number): string => {
  const text = value.trim();
  const factor = /^\*\s*(.+)$/.exec(text)?.[1];
  if (place.startsWith('weight ')) return factor === undefined ? `${place} = ${text}` : `${place} *= ${factor}`;
  return factor === undefined
    ? `set ${place} = ${text} at step ${step}`
    : `scale ${place} by ${factor} at step ${step}`;
};

/** A place in the tree of values, the same from layer to layer: what is opened stays open while one steps. */
export const openKey = (path: readonly string[]): string =>
  path.map((name) => name.replaceAll(/\.\d+(?=\.|$)/g, '.L')).join(' / ');
