import { ModelError } from '../../base/index.js';

/** A GGUF file that is not one, or is damaged. */
export const invalidGguf = (file: string, what: string): ModelError =>
  new ModelError(`${file} is no valid GGUF file: ${what}`, {
    code: 'GGUF_INVALID',
    hint: 'The file is damaged, cut short or not downloaded whole: compare its size with the source and take it anew.',
    details: { file },
  });
