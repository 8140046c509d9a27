/** The last part of a path: what a model is called. Where a user keeps it is nobody's business. */
export const lastPart = (path: string): string => path.replace(/[\\/]+$/, '').replace(/^.*[\\/]/, '');
