/** A number that JSON has: what is none is null. */
export const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
