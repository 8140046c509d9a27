/** Ids as they are written, or the piece of text that is none. */
export type ReadIds = { readonly ids: readonly number[] } | { readonly wrong: string } | { readonly beyond: number };

/** Token ids in a text: numbers between blanks, commas and brackets. `vocab`: ids are below it. */
export const readIds = (text: string, vocab: number | undefined): ReadIds => {
  const parts = text.split(/[\s,;[\]]+/).filter((part) => part !== '');
  const wrong = parts.find((part) => !/^\d{1,10}$/.test(part));
  if (wrong !== undefined) return { wrong };
  const ids = parts.map(Number);
  const beyond = ids.find((id) => vocab !== undefined && id >= vocab);
  return beyond === undefined ? { ids } : { beyond };
};

export const writeIds = (ids: readonly number[]): string => ids.join(' ');
