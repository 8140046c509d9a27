import type { Command } from 'commander';
import type { Act } from './action.js';
import { device, edits, everywhere, examples, input, live, liveHelp, modelHelp } from './options.js';
import { collectEdits, collectWords, float, integer, type EditOption } from './values.js';

const words = (command: Command): Command =>
  command.option('--word <token>', 'a word whose standing is told, as " Paris"; repeatable', collectWords([]));

const addLens = (program: Command, act: Act): void => {
  const command = program
    .command('lens')
    .argument('[model]', liveHelp)
    .description('What the model would say if it ended after each layer.');
  words(live(device(edits(input(command)))))
    .option('--top <n>', 'how many of the likeliest words (default: 1)', integer('--top'))
    .option(
      '--position <n>',
      'only at this position, negative from the end (default: all, of which the last is shown)',
      integer('--position'),
    )
    .option('--tuned <folder>', 'read through a tuned lens: a folder with config.json and params.safetensors')
    .option('--out <file>', 'write all cells as .csv or .json, or a picture as .svg or .png')
    .action(act('lens'));
  examples(
    command,
    'lens MODEL --prompt "The capital of France is" --word " Paris"',
    'lens MODEL --prompt "The capital of France is" --edit "drop head 3.0" --json',
  );
};

const addCompare = (program: Command, act: Act): void => {
  const command = program
    .command('compare')
    .argument('[model]', modelHelp)
    .description('Run a prompt with edits and without them, and tell what changed.');
  words(device(edits(input(command))))
    .option('--top <n>', 'how many next tokens to list (default: 10)', integer('--top'))
    .action(act('compare'));
  examples(command, 'compare MODEL --prompt "The capital of France is" --edit "skip layer 5"');
};

const addKnockout = (program: Command, act: Act): void => {
  const command = program
    .command('knockout')
    .argument('[model]', modelHelp)
    .description('Leave out each head of a layer, its attention and its MLP, one at a time.');
  words(device(edits(input(command))))
    .requiredOption('--layer <layer>', 'the layer, such as 3 or decoder.3')
    .action(act('knockout'));
  examples(command, 'knockout MODEL --prompt "The capital of France is" --layer 3 --word " Paris"');
};

const addDiff = (program: Command, act: Act): void => {
  const command = program
    .command('diff')
    .argument('<a>', 'a model, a recording, or HOST:PORT of a live process')
    .argument('<b>', 'the other: a model, a recording, values of sites as safetensors, or HOST:PORT of a live process')
    .description('Compare two runs of a prompt site by site: where they part first, and which mistake explains it.');
  const others: EditOption[] = [];
  device(edits(input(command)))
    .option('--other-edit <edit>', 'a change to the second; repeatable', collectEdits(others, 'text'))
    .option('--other-edits <file>', 'a file of changes to the second', collectEdits(others, 'file'))
    .option('--token <token>', 'of a live process: the token that it printed (default: $CUTAWAY_TOKEN)')
    .option('--other-token <token>', 'that of the second, where it is another')
    .option('--sites <globs>', 'only these sites (default: all that both have)')
    .option(
      '--floor <x>',
      'relative differences up to here are noise (default: by how weights are stored)',
      float('--floor'),
    )
    .option('--no-explain', 'only compare; try no mistakes')
    .option('--most <n>', 'how many differences are explained, one after the other (default: 4)', integer('--most'))
    .option(
      '--max-bytes <n>',
      'bytes of values held at a time (default: a third of free memory)',
      integer('--max-bytes'),
    )
    .action((a: string, b: string, flags: Record<string, unknown>) => act('diff')(a, { ...flags, other: b }));
  examples(
    command,
    'diff ORIGINAL CONVERTED --prompt "The capital of France is"',
    'diff MODEL MODEL.gguf --prompt "Once upon a time"',
    'diff MODEL values.safetensors --ids 1,2,3   (values by the names of sites, from any program)',
    'diff MODEL run.cutrec',
    'diff MODEL 127.0.0.1:4711 --token TOKEN --ids 1,2,3   (a live PyTorch process, as for attach)',
  );
};

/** Verbs that look at a run: `lens`, `compare`, `diff`, `knockout`, and the tour. */
export const addLooks = (program: Command, act: Act): void => {
  addLens(program, act);
  addCompare(program, act);
  addDiff(program, act);
  addKnockout(program, act);
  everywhere(program.command('tour'))
    .description('A first look as text: a prompt that a small model gets wrong, and an edit that mends it.')
    .action((flags) => act('tour')(undefined, flags as Record<string, unknown>));
};
