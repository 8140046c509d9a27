import type { Command } from './console.js';

/** Changes: what is written, and an example. */
const edits: Readonly<Record<string, readonly [usage: string, ...examples: string[]]>> = {
  set: ['set SITE[...] = NUMBER | zero | mean', 'set blocks.1.attn.z[head=2] = zero', 'set blocks.1.resid_post[position=-1, model=3] = 5'],
  scale: ['scale SITE[...] by NUMBER', 'scale blocks.2.mlp_out by 0.5'],
  add: ['add NUMBER * DIRECTION at SITE', 'add 4 * direction(" Rome" - " Paris") at blocks.3.resid_post[position=-1]'],
  weight: ['weight NAME[...] = | *= | += NUMBER', 'weight model.norm.weight[model=3] *= 2'],
  replace: ['replace weight NAME from FILE "NAME"', 'replace weight model.norm.weight from other.safetensors "norm"', 'replace activation with relu'],
  skip: ['skip layer N', 'skip layer 3'],
  repeat: ['repeat layer N', 'repeat layer 3'],
  swap: ['swap layers N M', 'swap layers 3 5'],
  drop: ['drop head LAYER.HEAD', 'drop head 3.2'],
  force: ['force token TEXT at step N', 'force token " Paris" at step 2'],
  temperature: ['temperature NUMBER', 'temperature 0.7'],
  'top-k': ['top-k COUNT', 'top-k 40'],
  'top-p': ['top-p NUMBER', 'top-p 0.9'],
  'min-p': ['min-p NUMBER', 'min-p 0.05'],
  'repetition-penalty': ['repetition-penalty NUMBER', 'repetition-penalty 1.1'],
  seed: ['seed NUMBER', 'seed 7'],
}; // prettier-ignore

const changes: Readonly<Record<string, string>> = {
  set: 'Put another value there, from this layer on.',
  scale: 'Multiply a value, from this layer on.',
  add: 'Add a direction to a value, from this layer on.',
  weight: 'Change a weight, or a part of it.',
  replace: 'Take a weight from a file; another activation.',
  skip: 'Leave a layer out.',
  repeat: 'Run a layer twice.',
  swap: 'Let two layers change places.',
  drop: 'Switch a head off.',
  force: 'Say this token at that step, whatever the scores.',
  temperature: 'How evenly tokens are drawn; 0: the likeliest.',
  'top-k': 'Draw among so many of the likeliest.',
  'top-p': 'Draw among the likeliest that make up this share.',
  'min-p': 'Draw among those at least so likely beside the likeliest.',
  'repetition-penalty': 'Make what was said less likely.',
  seed: 'Draw other tokens.',
};

/** The edit language as commands: each counts from the layer on that the run is in. */
export const changeWords: readonly (Omit<Command, 'run'> & { readonly names: readonly [string] })[] = Object.entries(
  edits,
).map(([word, [usage, ...examples]]) => ({ names: [word], usage, help: changes[word] ?? '', examples }));
