import { Option, type Command } from 'commander';
import type { Act } from './action.js';
import { device, edits, examples, input, inputs, modelHelp } from './options.js';
import { collectWords, integer } from './values.js';

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
    .option('--out <file>', 'write the table as .csv or .json, or the picture as .svg or .png')
    .action(act('components'));
  examples(
    command,
    'components MODEL --prompt "The capital of France is" --word " Paris" --against " Rome"',
    'components MODEL --prompt "The capital of France is" --neurons 10 --out parts.csv',
  );
};

const addHeads = (program: Command, act: Act): void => {
  const command = program
    .command('heads')
    .argument('[model]', modelHelp)
    .description(
      'Which heads do what: where each looks, on random tokens said twice or on prompts, and what it copies.',
    );
  device(edits(inputs(command)))
    .option('--length <n>', 'random tokens that are said twice (default: 24)', integer('--length'))
    .option('--sequences <n>', 'how many such sequences (default: 4)', integer('--sequences'))
    .option('--seed <n>', 'of the random tokens (default: 0)', integer('--seed'))
    .option('--no-copying', 'leave out what heads copy')
    .option('--out <file>', 'write the result: .json, .csv, .svg or .png')
    .action(act('heads'));
  examples(command, 'heads MODEL', 'heads MODEL --prompts texts.jsonl --no-copying', 'heads MODEL --seed 7 --json');
};

const addComposition = (program: Command, act: Act): void => {
  const command = program
    .command('composition')
    .argument('[model]', modelHelp)
    .description('Which heads read what earlier heads write, by their weights: Q-, K- and V-composition.');
  device(edits(command))
    .option('--head <layer.head>', 'only pairs of this head, as 3.2')
    .option('--top <n>', 'pairs of each kind (default: 20)', integer('--top'))
    .option('--out <file>', 'write the pairs as .csv or .json, or a picture as .svg or .png')
    .action(act('composition'));
  examples(command, 'composition MODEL', 'composition MODEL --head 3.2 --top 5');
};

const addHead = (program: Command, act: Act): void => {
  const command = program
    .command('head')
    .argument('[model]', modelHelp)
    .description('One head: which words it joins, and on a prompt why it looks where it looks.');
  device(edits(input(command)))
    .requiredOption('--head <layer.head>', 'the head, as 3.2 or decoder.3.2')
    .option(
      '--query <n>',
      'with a prompt: the position that looks, negative from the end (default: -1)',
      integer('--query'),
    )
    .option('--key <n>', 'with a prompt: the position looked at (default: the one looked at most)', integer('--key'))
    .option('--top <n>', 'pairs and parts to list (default: 10)', integer('--top'))
    .option('--no-pairs', 'leave out the pairs of words, which take long where there are many words')
    .option('--out <file>', 'write the result: .json, .csv, .svg or .png')
    .action(act('head'));
  examples(command, 'head MODEL --head 3.2', 'head MODEL --head 3.2 --prompt "The capital of France is" --no-pairs');
};

const addNeurons = (program: Command, act: Act): void => {
  const command = program
    .command('neurons')
    .argument('[model]', modelHelp)
    .description('The strongest neurons at a position, what they write, and, over a file of prompts, where they fire.');
  score(device(edits(inputs(command))))
    .option('--neuron <layer.neuron>', 'this neuron, as 3.120; repeatable (default: the strongest)', collectWords([]))
    .option('--layer <layer>', 'only of this layer')
    .addOption(
      new Option('--by <what>', 'what makes a neuron strong (default: contribution)').choices([
        'contribution',
        'activation',
      ]),
    )
    .option('--top <n>', 'how many neurons (default: 10)', integer('--top'))
    .option('--words <n>', 'words that each promotes and suppresses (default: 5)', integer('--words'))
    .option('--out <file>', 'write the table as .csv or .json, or a picture as .svg or .png')
    .action(act('neurons'));
  examples(
    command,
    'neurons MODEL --prompt "The capital of France is" --word " Paris"',
    'neurons MODEL --prompts texts.jsonl --neuron 3.120 --neuron 5.7',
    'neurons MODEL --prompts texts.jsonl --layer 3',
  );
};

/** Verbs that tell apart what the model's parts do. */
export const addComponentVerbs = (program: Command, act: Act): void => {
  addComponents(program, act);
  addHeads(program, act);
  addHead(program, act);
  addComposition(program, act);
  addNeurons(program, act);
};
