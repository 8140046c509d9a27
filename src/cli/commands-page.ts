import { Option, type Command } from 'commander';
import type { Act } from './action.js';
import { examples, modelHelp } from './options.js';
import { integer } from './values.js';

/** Options that may stand first, without a verb. */
export const pageOptions = ['--port', '--listen', '--no-open', '--session', '--folder'] as const;

/** The page: `cutaway [MODEL]`. */
export const addPage = (program: Command, act: Act): void => {
  const command = program
    .command('page')
    .argument('[model]', modelHelp)
    .description(
      'Open the page: see the model, touch it, and watch what it says change. `cutaway [MODEL]` does the same.',
    )
    .option('--port <n>', 'the port (default: 7077, or any free one)', integer('--port'))
    .option('--no-open', 'only print the address, and open no browser')
    .option('--session <file>', 'keep what you make in this file, and go on from what it has')
    .option(
      '--folder <folder>',
      'a folder whose models, and those of the folders in it, can be chosen in the page (default: the current one)',
    )
    .addOption(new Option('--listen <address>', 'listen at another address than loopback: others can then reach it'))
    .option('--quiet', 'no notes')
    .option('--debug', 'show the stack trace of an error')
    .action(act('page'));
  examples(command, 'MODEL', 'page MODEL --port 8080 --no-open');
};
