import { Option, type Command } from 'commander';
import type { Act } from './action.js';
import { device, edits, examples, live, liveHelp, modelHelp } from './options.js';
import { float, integer, integers, indices } from './values.js';

/** Two prompts, or a file of such, and what is measured. */
const pair = (command: Command): Command =>
  command
    .option('--prompt <text>', 'the clean prompt; with --pairs a template, in which {name} is a field')
    .option('--corrupt <text>', 'the corrupted prompt, which differs in what is asked about')
    .option('--ids <ids>', 'the clean prompt as token ids', integers('--ids'))
    .option('--corrupt-ids <ids>', 'the corrupted prompt as token ids', integers('--corrupt-ids'))
    .option('--pairs <file>', 'JSON lines of {"prompt", "corrupt", "answer", "wrong"}, or of the fields of templates')
    .option('--target <text>', 'of an encoder-decoder: what its decoder begins with')
    .option('--target-ids <ids>', 'the same as token ids', integers('--target-ids'))
    .option('--answer <token>', 'the right next token; with --wrong the metric is the difference of their logits')
    .option('--wrong <token>', 'the wrong one')
    .option('--metric <expression>', 'any number: "logit(\' a\') - logit(\' b\')", "prob(\' a\')", "entropy", a site');

/** Positions, or a text of the prompt. */
const subject = (text: string): number[] | string => (/^[\d\s,.]+$/.test(text) ? indices('--subject')(text) : text);

const ways = (text: string): string[] => text.split(',').map((way) => way.trim());

/** What is changed, and to what. */
const changed = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--method <method>',
        "what parts are changed to: the other prompt's values, clean ones in a noised run, zero, means, other prompts' values; or a guess",
      ).choices(['patch', 'noise', 'zero', 'mean', 'resample', 'path', 'attribution']),
    )
    .addOption(
      new Option(
        '--direction <way>',
        'clean values into the corrupted run, or corrupted ones into the clean run',
      ).choices(['denoise', 'noise']),
    )
    .option(
      '--sites <names>',
      'resid_pre, resid_mid, resid_post, attn_out, mlp_out, z, q, k, v, pattern, mlp.post ... (default: resid_pre,attn_out,mlp_out)',
    )
    .option(
      '--by <ways>',
      'position, head, neuron or none, comma-separated (default: heads where there are any, else positions)',
      ways,
    )
    .option('--layers <list>', 'only these: 0,3,5 or 2..6', indices('--layers'))
    .option('--positions <list>', 'only these', indices('--positions'));

/** What only some methods take. */
const drawn = (command: Command): Command =>
  command
    .option(
      '--receivers <selectors>',
      'with --method path: where paths end, "blocks.5.attn.q[head=3]" (default: logits)',
    )
    .addOption(
      new Option(
        '--through <parts>',
        'with --method path: MLPs on the way compute again (default: nothing does)',
      ).choices(['nothing', 'mlps']),
    )
    .option('--window <n>', 'change so many layers together (default: 1)', integer('--window'))
    .option('--subject <text|positions>', 'with --method noise: tokens whose embedding is noised', subject)
    .option('--sigma <s>', 'deviation of the noise (default: 3 times that of the embedding)', float('--sigma'))
    .option('--samples <n>', 'draws of noise or of prompts (default: 10)', integer('--samples'))
    .option('--seed <n>', 'of draws (default: 0)', integer('--seed'))
    .option(
      '--checked <n>',
      'with --method attribution: cells measured beside the guess (default: 20)',
      integer('--checked'),
    );

const addPatch = (program: Command, act: Act): void => {
  const command = program
    .command('patch')
    .argument('[model]', liveHelp)
    .description(
      'Activation patching: what becomes of a number when a part of the model has the values of another run.',
    );
  drawn(changed(live(device(edits(pair(command))))))
    .option('--max-bytes <n>', 'stop where it would take more (default: half of free memory)', integer('--max-bytes'))
    .option('--resume <file>', 'keep results there as they come, and go on from what it has')
    .option('--out <file>', 'write the result: .json, .csv, .svg or .png')
    .action(act('patch'));
  examples(
    command,
    'patch MODEL --prompt "The capital of France is" --corrupt "The capital of Italy is" --answer " Paris" --wrong " Rome"',
    'patch MODEL --pairs pairs.jsonl --sites z --by head --direction noise --out heads.svg',
    'patch MODEL --prompt "The capital of France is" --method noise --subject France --sites mlp_out --window 5 --metric "prob(\' Paris\')"',
    'patch MODEL --prompt "The capital of France is" --method zero --sites z --metric "logprob(\' Paris\')"',
  );
};

const addCircuit = (program: Command, act: Act): void => {
  const command = program
    .command('circuit')
    .argument('[model]', modelHelp)
    .description(
      'Search a circuit: the fewest ways between heads, MLPs and scores that do what tells two prompts apart.',
    );
  device(edits(pair(command)))
    .option(
      '--faithfulness <share>',
      'of the difference between the prompts that it has to keep (default: 0.9)',
      float('--faithfulness'),
    )
    .option('--size <n>', 'so many edges instead, those guessed to be worth most', integer('--size'))
    .option('--threshold <share>', 'take an edge out where the share falls by less without it', float('--threshold'))
    .option('--tests <n>', 'edges tried one by one, at the most (default: 400)', integer('--tests'))
    .option('--max-bytes <n>', 'stop where it would take more (default: half of free memory)', integer('--max-bytes'))
    .option('--resume <file>', 'keep results there as they come, and go on from what it has')
    .option('--out <file>', 'write the result: .json, .csv, .dot (Graphviz), .svg or .png')
    .action(act('circuit'));
  examples(
    command,
    'circuit MODEL --prompt "The capital of France is" --corrupt "The capital of Italy is" --answer " Paris" --wrong " Rome"',
    'circuit MODEL --pairs pairs.jsonl --size 60 --out circuit.svg',
  );
};

/** Verbs that test what causes what: `patch`, `circuit`. */
export const addTests = (program: Command, act: Act): void => {
  addPatch(program, act);
  addCircuit(program, act);
};
