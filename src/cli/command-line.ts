import { existsSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import pkg from '../../package.json' with { type: 'json' };
import { UsageError } from '../base/index.js';
import { debuggedTokens } from '../protocol/index.js';
import type { Actions, Flags } from './action.js';
import { addAttributions } from './commands-attribute.js';
import { addComponentVerbs } from './commands-components.js';
import { addLooks } from './commands-look.js';
import { addTests } from './commands-test.js';
import { addPage, pageOptions } from './commands-page.js';
import { device, edits, everywhere, examples, generation, input, inputs, modelHelp, recording } from './options.js';
import { reportError, statusOf } from './report.js';
import { integer } from './values.js';

/** Commander's error as ours; its second line, where there is one, is a suggestion: `(Did you mean run?)`. */
const optionError = (error: CommanderError): UsageError => {
  const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  const help = '`cutaway --help` shows the verbs, `cutaway VERB --help` their options.';
  return new UsageError(message, { code: 'OPTION_INVALID', hint: `${suggestion.replace(/^\((.*)\)$/, '$1 ')}${help}` });
};

const addRun = (
  program: Command,
  act: (verb: keyof Actions) => (model: string | undefined, flags: Flags) => Promise<void>,
): void => {
  const command = program
    .command('run')
    .argument('[model]', modelHelp)
    .description('Run a model on a prompt: the likeliest next tokens, and what it goes on to say.');
  device(recording(generation(edits(inputs(command)), 0)))
    .option('--top <n>', 'how many next tokens, words or labels to list (default: 10)', integer('--top'))
    .option('--stages', 'show the distribution after each rule of sampling')
    .option('--record-sites <globs>', 'sites that the recording keeps at each step')
    .action(act('run'));
  examples(
    command,
    'run MODEL --prompt "The capital of France is"',
    'run MODEL --prompt "Once" --max-new-tokens 20 --temperature 0.8 --top-p 0.9 --seed 1',
    'run MODEL --prompt "Once" --edit "drop head 3.2" --edit "skip layer 5"',
    'run MODEL --prompt "The [MASK] is blue."   (BERT: the word behind the mask)',
    'run MODEL --ids 1,2,3 --json',
    'run MODEL --prompt "Once" --max-new-tokens 20 --record run.cutrec --record-sites "blocks.*.resid_post"',
  );
};

const addInspect = (
  program: Command,
  act: (verb: keyof Actions) => (model: string | undefined, flags: Flags) => Promise<void>,
): void => {
  const command = program
    .command('inspect')
    .argument('[model]', `${modelHelp}; or a recording`)
    .description('Read values inside a model on a prompt, or those that a recording has.');
  device(recording(edits(inputs(command))))
    .requiredOption('--sites <globs>', "sites, comma-separated: 'blocks.*.attn.pattern,logits'")
    .option('--grad-of <expression>', 'also the gradients of a number by the sites: "logit(\" a\") - logit(\" b\")"')
    .option('--grad-weights <globs>', 'with --grad-of: gradients of these weights too')
    .option(
      '--grad-catch <list>',
      'with --grad-of: nan, inf, exploding [NORM], vanishing [NORM]; status 1 where one is',
    )
    .option('--grad-checkpoint', 'with --grad-of: keep only what layers hand on; less memory, more time')
    .option('--out <file>', 'write the values as float32 safetensors')
    .option('--step <n>', 'of a recording: the step (default: 0, the prefill)', integer('--step'))
    .option(
      '--max-bytes <n>',
      'stop where values would take more (default: half of free memory)',
      integer('--max-bytes'),
    )
    .action(act('inspect'));
  examples(
    command,
    'inspect MODEL --prompt "Once" --sites "blocks.*.attn.pattern[head=2],logits"',
    'inspect MODEL --prompt "Once" --sites "**" --out values.safetensors',
    'inspect MODEL --prompt "Once" --sites "blocks.*.resid_post" --grad-of "logprob(\' upon\')"',
    'inspect run.cutrec --sites "blocks.*.resid_post" --step 2',
  );
};

const addDebug = (
  program: Command,
  act: (verb: keyof Actions) => (model: string | undefined, flags: Flags) => Promise<void>,
): void => {
  const command = program
    .command('debug')
    .argument('[model]', `${modelHelp}; or a recording`)
    .description('Stop inside a model, step forward and back, look, change, and go on. Or walk along a recording.');
  device(recording(generation(edits(input(command)), debuggedTokens)))
    .option('--record-sites <globs>', 'sites that the recording keeps at each step')
    .option('-x <file>', 'a file of commands, carried out first')
    .option(
      '--restore [file]',
      'bring back the last session of the model that was cut off or not saved, or that of a file',
    )
    .option('--no-journal', 'keep nothing of this session on the disk')
    .action(act('debug'));
  examples(
    command,
    'debug MODEL --prompt "Once upon"',
    'debug MODEL --prompt "Once" -x commands.txt < /dev/null',
    'debug run.cutrec',
    'debug MODEL --from-recording run.cutrec',
    'debug MODEL --restore',
  );
};

const addAttach = (
  program: Command,
  act: (verb: keyof Actions) => (model: string | undefined, flags: Flags) => Promise<void>,
): void => {
  const command = program
    .command('attach')
    .argument('<address>', 'HOST:PORT, as the process prints it; a port alone is one of this machine')
    .description('Debug a live PyTorch process, in which cutaway_agent.listen(model) was called.')
    .option('--token <token>', 'the token that the process printed (default: $CUTAWAY_TOKEN)')
    .option('--ranks <n>', 'of one program: how many processes, each at the next port (default: 1)', integer('--ranks'))
    .option('--listen', 'wait at the address for processes that call with cutaway_agent.connect')
    .option('-x <file>', 'a file of commands, carried out first')
    .option('--page', 'in the page instead of the terminal')
    .option('--port <n>', 'with --page: the port of the page (default: 7077, or any free one)', integer('--port'))
    .option('--no-open', 'with --page: only print its address, and open no browser')
    .option('--debug', 'show the stack trace of an error')
    .action(act('attach'));
  examples(
    command,
    'attach 127.0.0.1:4711 --token TOKEN',
    'attach 127.0.0.1:4711 --token TOKEN --page',
    'attach 4711 --token TOKEN --ranks 2',
  );
};

const addDap = (
  program: Command,
  act: (verb: keyof Actions) => (model: string | undefined, flags: Flags) => Promise<void>,
): void => {
  const command = program
    .command('dap')
    .description('The debugger for editors, by the Debug Adapter Protocol, on standard input and output.')
    .option('--port <n>', 'listen at this port of the machine instead; 0: any free one', integer('--port'))
    .action((flags: Flags) => act('dap')(undefined, flags));
  examples(command, 'dap', 'dap --port 4711');
};

const addOthers = (
  program: Command,
  act: (verb: keyof Actions) => (model: string | undefined, flags: Flags) => Promise<void>,
): void => {
  const list = everywhere(program.command('list').argument('[model]', `${modelHelp}; or a recording`))
    .description('List what a model or a recording has; without an option, an overview.')
    .option('--sites', 'the values that can be read and changed')
    .option('--weights', 'its tensors')
    .option('--listing', 'its computation as numbered source text')
    .action(act('list'));
  examples(list, 'list MODEL', 'list MODEL --sites --json');
  const tokenize = everywhere(program.command('tokenize').argument('[model]', `${modelHelp}; or a vocabulary alone`))
    .description('Cut texts into tokens, with their places.')
    .option('--text <text>', 'a text')
    .option('--file <cases>', 'a JSON array of texts')
    .option('--no-special', 'add no special token, and read their spellings as plain text')
    .action(act('tokenize'));
  examples(
    tokenize,
    'tokenize MODEL --text "The capital of France"',
    'tokenize MODEL/tokenizer.json --file texts.json',
  );
};

/** The whole command line. `actions` are loaded only once a verb is chosen. */
export const makeCommand = (load: () => Promise<Actions>, done: (status: number) => void): Command => {
  const program = new Command('cutaway');
  program
    .description('A debugger for large language models.')
    .version(pkg.version)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError();
  const act = (verb: keyof Actions) => async (model: string | undefined, flags: Flags) =>
    done(await (await load())[verb](model, flags));
  addRun(program, act);
  addInspect(program, act);
  addDebug(program, act);
  addAttach(program, act);
  addDap(program, act);
  addLooks(program, act);
  addAttributions(program, act);
  addTests(program, act);
  addComponentVerbs(program, act);
  addOthers(program, act);
  addPage(program, act);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  return program;
};

/** Does a word that is no verb name a model? */
const isModel = (word: string): boolean => /^zoo:|[/\\]|\.gguf$/i.test(word) || existsSync(word);

/** `cutaway [MODEL] [OPTIONS]` is the page: the verb is put in where a model or one of the page's options comes first. */
const withVerb = ([first, ...rest]: readonly string[], program: Command): string[] => {
  if (first === undefined) return ['page'];
  const isVerb = program.commands.some((command) => command.name() === first);
  const isPage = pageOptions.some((option) => first === option || first.startsWith(`${option}=`)) || isModel(first);
  return [...(isPage && !isVerb ? ['page'] : []), first, ...rest];
};

/** Runs a command line, the program's name left out. @returns the exit status */
export const runCommandLine = async (args: readonly string[]): Promise<number> => {
  let status = 0;
  const program = makeCommand(
    async () => (await import('./verbs.js')).actions,
    (s) => {
      status = s;
    },
  );
  const debug = args.includes('--debug');
  try {
    await program.parseAsync(withVerb(args, program), { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const told = error instanceof CommanderError ? optionError(error) : error;
    reportError(told, debug);
    return statusOf(told);
  }
};
