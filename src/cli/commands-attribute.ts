import { Option, type Command } from 'commander';
import { attributionMethods, integrationRules, normalizations } from '../protocol/index.js';
import type { Act } from './action.js';
import { device, edits, examples, input, live, liveHelp, modelHelp } from './options.js';
import { collectWords, float, integer } from './values.js';

const choice = (flags: string, help: string, choices: readonly string[]): Option =>
  new Option(flags, help).choices([...choices]);

const explained = (command: Command): Command =>
  command
    .option('--of <expression>', "the number that is explained, such as \"logit(' a') - logit(' b')\"")
    .option('--word <token>', 'the score of this word, or of a label by name or number (default: what it predicts)')
    .option('--versus <token>', 'why not this one: the difference of the two scores')
    .addOption(choice('--score <kind>', 'which score of a word (default: logit)', ['logit', 'logprob', 'prob']))
    .option('--output <text>', 'what the prompt goes on with: each of its tokens is explained')
    .option('--max-new-tokens <n>', 'make so many tokens, and explain each', integer('--max-new-tokens'));

const methodSettings = (command: Command): Command =>
  command
    .addOption(choice('--method <method>', 'how (default: integrated-gradients)', attributionMethods))
    .addOption(choice('--reduce <how>', 'gradient, smoothgrad: its length or its sum (default: norm)', ['norm', 'sum']))
    .addOption(
      choice('--rule <rule>', 'integrated-gradients: where it reads (default: gausslegendre)', integrationRules),
    )
    .option('--steps <n>', 'integrated-gradients: readings (default: 50; allennlp 10, lit 30)', integer('--steps'))
    .option(
      '--baseline <what>',
      'integrated-gradients: where the path begins: zero, mask, pad, or a token (default: zero)',
    )
    .option('--samples <n>', 'smoothgrad: 10, shapley: 25 orders, lime: 256, where left out', integer('--samples'))
    .option('--stdev <x>', 'smoothgrad: how much noise (default: 0.01)', float('--stdev'))
    .addOption(
      choice('--noise <of>', 'smoothgrad: of the range of the numbers, or of one (default: range)', ['range', 'one']),
    )
    .addOption(
      choice('--average <how>', 'smoothgrad: the mean, of squares, or the variance', ['mean', 'square', 'variance']),
    )
    .option('--times-input', 'smoothgrad: gradients times the noisy input')
    .addOption(choice('--lrp <rules>', 'lrp: AttnLRP, or attention as constant (default: attnlrp)', ['attnlrp', 'cp']))
    .option('--epsilon <x>', 'lrp: added to the divisors of linear layers (default: 0)', float('--epsilon'))
    .option('--gamma <x>', 'lrp: positive weights count 1 + gamma times', float('--gamma'))
    .option('--replace <what>', 'tokens left out: mask, pad, zero, remove, or a token (default: mask or zero)')
    .option('--ridge <x>', 'lime: weight of the squared coefficients (default: 1)', float('--ridge'))
    .option('--kernel-width <x>', 'lime: how wide "near" is (default: 256)', float('--kernel-width'))
    .option('--seed <n>', 'of all that is drawn (default: 0)', integer('--seed'));

const addAttribute = (program: Command, act: Act): void => {
  const command = program
    .command('attribute')
    .argument('[model]', liveHelp)
    .description('How much each token of a prompt has to do with what the model says.');
  methodSettings(explained(live(device(edits(input(command))))))
    .addOption(choice('--granularity <unit>', 'what gets a score (default: token)', ['token', 'word', 'span']))
    .option('--spans <ranges>', 'ranges of positions that have one score each: 0-2,5-7')
    .addOption(choice('--normalize <how>', 'how scores are told (default: none)', normalizations))
    .option('--no-faithfulness', 'leave the curves of deletion and insertion out')
    .option('--points <n>', 'points of a curve (default: 10)', integer('--points'))
    .option('--out <file>', 'write the result: .json, .csv, .svg or .png')
    .option('--max-bytes <n>', 'memory that gradients may take (default: half of what is free)', integer('--max-bytes'))
    .action(act('attribute'));
  examples(
    command,
    'attribute MODEL --prompt "The capital of France is"',
    'attribute MODEL --prompt "The capital of France is" --word " Paris" --versus " London" --method lrp',
    'attribute MODEL --prompt "Once upon a" --max-new-tokens 8 --out attribution.svg',
    'attribute zoo:judge-sentiment --prompt "The soup was awful." --method shapley --granularity word',
  );
};

const addAttack = (program: Command, act: Act): void => {
  const command = program
    .command('attack')
    .argument('[model]', modelHelp)
    .description('Change a text until the prediction falls, or take away of it what the prediction does not need.');
  device(edits(input(command)))
    .addOption(choice('--attack <kind>', 'which (default: hotflip)', ['hotflip', 'input-reduction']))
    .option('--toward <token>', 'hotflip: the prediction that is wanted (default: any other)')
    .option('--keep <text>', 'a token that stays; repeatable (default: marks and special tokens)', collectWords([]))
    .option('--any-token', 'hotflip: put in any token, not only those of letters and digits')
    .option('--max-flips <n>', 'hotflip: swaps at the most', integer('--max-flips'))
    .option('--beam <n>', 'input-reduction: texts followed at a time (default: 3)', integer('--beam'))
    .option('--take-special', 'input-reduction: special tokens may go too, as in AllenNLP')
    .option('--out <file>', 'write the result: .json, .csv, .svg or .png')
    .action(act('attack'));
  examples(
    command,
    'attack zoo:judge-sentiment --prompt "The soup was awful."',
    'attack MODEL --prompt "The capital of France is" --attack input-reduction',
  );
};

/** Verbs that explain and attack what a model says: `attribute` and `attack`. */
export const addAttributions = (program: Command, act: Act): void => {
  addAttribute(program, act);
  addAttack(program, act);
};
