/** `zoo:world` as world, a path as its last part. */
export const shortName = (model: string): string =>
  model
    .replace(/^zoo:/, '')
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1) ?? model;
