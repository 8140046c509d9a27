import { Option, type Command } from 'commander';
import { collectEdits, float, integer, integers, type EditOption } from './values.js';

/** Example command lines, below the help of a verb. */
export const examples = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ cutaway ${line}`).join('\n')}`);

/** What every verb takes. */
export const everywhere = (command: Command): Command =>
  command
    .option('--json', 'print one JSON document on standard output, all else on standard error')
    .option('--quiet', 'no notes and no progress')
    .option('--debug', 'show the stack trace of an error');

/** Where and how the model runs. */
export const device = (command: Command): Command =>
  everywhere(command)
    .addOption(new Option('--device <device>', 'where to compute').choices(['cpu', 'webgpu', 'cuda']))
    .addOption(
      new Option('--engine <engine>', 'onnxruntime, or the plain reference (float32 or float64)').choices([
        'onnxruntime',
        'reference',
        'reference64',
      ]),
    )
    .addOption(
      new Option('--binding <way>', 'how weights reach the products').choices(['packed', 'apart', 'inputs', 'mapped']),
    )
    .option('--threads <n>', 'threads of one operation (default: physical cores)', integer('--threads'));

/** What the model is given: one prompt. */
export const input = (command: Command): Command =>
  command
    .option('--prompt <text>', 'a text; the tokenizer adds what its template adds')
    .option('--ids <ids>', 'token ids, comma-separated, fed exactly', integers('--ids'))
    .option(
      '--chat <file>',
      'a conversation as JSON, [{"role": "user", "content": ...}], by the model\'s chat template',
    )
    .option('--target <text>', 'of an encoder-decoder: what its decoder begins with; the prompt is the source')
    .option('--target-ids <ids>', 'the same as token ids, after the start token', integers('--target-ids'));

/** The same, or a file of prompts. */
export const inputs = (command: Command): Command =>
  input(command).option('--prompts <file>', 'JSON lines: a text, or {"prompt": ...} or {"ids": [...]}, a line');

/** Changes to the model. */
export const edits = (command: Command): Command => {
  const list: EditOption[] = [];
  return command
    .option(
      '--edit <edit>',
      'a change, such as "scale blocks.0.attn.z[head=1] by 0"; repeatable',
      collectEdits(list, 'text'),
    )
    .option('--edits <file>', 'a file of changes, text or JSON; - for standard input', collectEdits(list, 'file'));
};

/** How tokens are made. */
export const generation = (command: Command, tokens: number): Command =>
  command
    .option('--max-new-tokens <n>', `tokens to make at the most (default: ${tokens})`, integer('--max-new-tokens'))
    .option('--temperature <t>', '0 is greedy', float('--temperature'))
    .option('--top-k <k>', 'sample from the k likeliest', integer('--top-k'))
    .option('--top-p <p>', 'sample from the likeliest that hold p of the probability', float('--top-p'))
    .option('--min-p <p>', 'leave out tokens below p times the likeliest', float('--min-p'))
    .option('--repetition-penalty <r>', 'weaken tokens that were there already', float('--repetition-penalty'))
    .option('--seed <n>', 'of sampling (default: 0)', integer('--seed'))
    .option('--ignore-eos', 'do not stop at the end token');

/** Saving a run, and running one again. */
export const recording = (command: Command): Command =>
  command
    .option('--record <file>', 'save the run: prompt, tokens, edits, chosen sites')
    .option('--redact', 'leave texts, token ids and edits out of the recording')
    .option('--from-recording <file>', "run a recording's prompt, edits and sampling again")
    .option('--force', 'though the recording is of another model');

/** Of verbs that also work on a live process. */
export const live = (command: Command): Command =>
  command.option('--token <token>', 'of a live process: the token that it printed (default: $CUTAWAY_TOKEN)');

/** What a model can be, or a live process. */
export const liveHelp = 'a folder, a .gguf file, zoo:NAME, or HOST:PORT of a live process (default: zoo:world)';

/** What a model can be. */
export const modelHelp = 'a folder, a .gguf file, or zoo:NAME (default: zoo:world)';
