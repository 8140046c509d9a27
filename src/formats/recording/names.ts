/** What all of a recording's facts are in, written last. */
export const manifestName = 'manifest.json';
/** What was known before the run began. */
export const startName = 'start.json';
/** Where a part's own metadata has what the manifest says of it. */
export const partFacts = 'cutaway';

const part = /^parts\/\d{5,9}\.safetensors$/;

export const partName = (index: number): string => `parts/${String(index).padStart(5, '0')}.safetensors`;
export const isPart = (name: string): boolean => part.test(name);
