import { ModelError } from '../base/index.js';

/** Whether a file's name is one that PyTorch gives to pickled weights, or to their index. */
export const isPickle = (file: string): boolean =>
  /\.(pt|pth|ckpt|pkl|pickle)$|\.(bin|pt|pth)\.index\.json$/i.test(file) ||
  /(^|[\\/])[^\\/]*model[^\\/]*\.bin$/i.test(file);

/** Loading a pickle runs whatever program is in it: refused, with the way out. */
export const pickleRefused = (file: string): ModelError =>
  new ModelError(`${file} is a Python pickle, which can run any program when it is loaded: Cutaway never loads one`, {
    code: 'PICKLE_REFUSED',
    hint: [
      'Convert it once, if you trust it, with two lines of Python:',
      '  from transformers import AutoModelForCausalLM',
      '  AutoModelForCausalLM.from_pretrained("FOLDER").save_pretrained("NEW_FOLDER", safe_serialization=True)',
    ].join('\n'),
    details: { file },
  });
