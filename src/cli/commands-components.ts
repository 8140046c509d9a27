import type { Command } from 'commander';
import type { Act } from './action.js';
import { device, edits, examples, input, modelHelp } from './options.js';
import { integer } from './values.js';

/** The score that is told apart. */
const score = (command: Command): Command =>
  command
    .option('--word <token>', 'the word whose score is meant, as " Paris" (default: the likeliest)')
    .option('--against <token>', 'a word whose score is taken off, as " Rome"')
    .option('--position <n>', 'where, negative from the end (default: the last)', integer('--position'));

const addComponents = (program: Command, act: Act): void => {
  const command = program
    .command('components')
    .argument('[model]', modelHelp)
    .description("What each head, MLP, embedding and bias gives to a word's score (direct logit attribution).");
  score(device(edits(input(command))))
    .option('--neurons <n>', 'also the neurons that give most (default: 0)', integer('--neurons'))
    .option('--out <file>', 'write the table as .csv or .json, or the picture as .svg')
    .action(act('components'));
  examples(
    command,
    'components MODEL --prompt "The capital of France is" --word " Paris" --against " Rome"',
    'components MODEL --prompt "The capital of France is" --neurons 10 --out parts.csv',
  );
};

/** Verbs that tell apart what the model's parts do. */
export const addComponentVerbs = (program: Command, act: Act): void => {
  addComponents(program, act);
};
