import { UsageError } from '../../base/index.js';
import type { Prompt } from '../../engine/index.js';
import type { PairInput, WordInput } from '../../protocol/index.js';
import { readTextFile } from '../files.node.js';
import { parseLine } from '../json-lines.js';
import { labelOf } from '../labels.js';
import { locateAsync } from '../locate.js';
import type { OpenModel } from '../open-model.js';
import { promptsOf } from '../prompts.js';
import { answerPosition } from '../scoring.js';

/** A clean prompt, a corrupted one where there is one, and what is measured. */
export interface Pair {
  readonly prompt: Prompt;
  readonly corrupt: Prompt | undefined;
  /** Undefined where nothing says it: the likeliest words are then compared. */
  readonly metric: string | undefined;
  /** What of the prompt is noised, where the line says it. */
  readonly subject?: string;
}

type Fields = Readonly<Record<string, unknown>>;

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/**
 * A text with the fields of a line in place of `{name}`; as it is where there are no lines.
 * @throws UsageError OPTION_INVALID for a field that is not there
 */
const filled = (template: string, fields: Fields | undefined): string => {
  if (!fields) return template;
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = fields[name];
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    throw invalid(
      `there is no field ${name} for {${name}}`,
      `This line has ${Object.keys(fields).join(', ') || 'none'}.`,
    );
  });
};

const word = (value: WordInput): string => (typeof value === 'number' ? String(value) : JSON.stringify(value));

const isWord = (value: unknown): value is WordInput => typeof value === 'string' || typeof value === 'number';

/** `logit(answer) - logit(wrong)`. `at`: where they are scored, ` at position 3`, of a model that fills masks. */
export const differenceOf = (answer: WordInput, wrong: WordInput | undefined, at = ''): string =>
  `logit(${word(answer)})${at}${wrong === undefined ? '' : ` - logit(${word(wrong)})${at}`}`;

/** The words' scores where the model scores them: a masked model at its first mask, a classifier by its labels' names. */
const metricOfWords = (
  model: OpenModel,
  prompt: Prompt,
  [answer, wrong]: readonly [WordInput, WordInput | undefined],
): string => {
  const { output } = model.program.facts;
  if (output === 'labels')
    return differenceOf(labelOf(model, answer), wrong === undefined ? undefined : labelOf(model, wrong));
  return differenceOf(answer, wrong, output === 'masks' ? ` at position ${answerPosition(model, prompt)}` : '');
};

/** One prompt of a request or of a line. */
const promptIn = async (
  model: OpenModel,
  given: Omit<PairInput, 'pairs' | 'pairsText' | 'metric' | 'answer' | 'wrong' | 'corrupt' | 'corruptIds'>,
): Promise<Prompt> => {
  const [prompt] = await promptsOf(model, given);
  if (!prompt) throw invalid('there is no prompt', 'Give one with --prompt.');
  return prompt;
};

const asIds = (value: unknown): number[] | undefined =>
  Array.isArray(value) && value.every((x) => typeof x === 'number') ? value : undefined;

/** A pair of a line: its own fields, or the request's texts filled with them. */
const pairOf = async (model: OpenModel, input: PairInput, line?: Fields): Promise<Pair> => {
  const fields = line ?? {};
  const text = (name: 'prompt' | 'corrupt'): string | undefined => {
    const template = input[name];
    if (template !== undefined) return filled(template, line);
    const own = fields[name];
    return typeof own === 'string' ? own : undefined;
  };
  const side = (name: 'prompt' | 'corrupt', idsName: string, ids: readonly number[] | undefined) => {
    const [own, list] = [text(name), ids ?? asIds(fields[idsName])];
    if (own === undefined && list === undefined) return undefined;
    const target = typeof fields['target'] === 'string' ? fields['target'] : input.target;
    return promptIn(model, {
      ...(own === undefined ? { ids: [...(list ?? [])] } : { prompt: own }),
      ...(target === undefined ? {} : { target }),
      ...(input.targetIds ? { targetIds: input.targetIds } : {}),
    });
  };
  const clean = side('prompt', 'ids', input.ids);
  const prompt = clean ? await clean : await promptIn(model, input);
  const answer = input.answer ?? (isWord(fields['answer']) ? fields['answer'] : undefined);
  const wrong = input.wrong ?? (isWord(fields['wrong']) ? fields['wrong'] : undefined);
  const own = typeof fields['metric'] === 'string' ? fields['metric'] : undefined;
  const given = input.metric === undefined ? own : filled(input.metric, line);
  const word = (w: WordInput | undefined) => (typeof w === 'string' ? filled(w, line) : w);
  const named = word(answer);
  if (given === undefined && named === undefined && wrong !== undefined)
    throw invalid(
      'a wrong word is given and no right one',
      'Give the right one with --answer, or say what is measured with --metric.',
    );
  return {
    prompt,
    corrupt: await side('corrupt', 'corruptIds', input.corruptIds),
    metric: given ?? (named === undefined ? undefined : metricOfWords(model, prompt, [named, word(wrong)])),
    ...(typeof fields['subject'] === 'string' ? { subject: fields['subject'] } : {}),
  };
};

const eachLine = 'Each line is an object such as {"prompt": "...", "corrupt": "...", "answer": " a", "wrong": " b"}.';

const fieldsOf = (line: string): Fields => {
  const value = parseLine(line, eachLine);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid('not a pair', eachLine);
};

/**
 * The pairs of a request: one, or those of a file.
 * @throws UsageError OPTION_INVALID, PROMPT_EMPTY, FILE_UNREADABLE, and what prompts throw
 */
export const pairsOf = async (model: OpenModel, input: PairInput): Promise<readonly Pair[]> => {
  if (input.metric !== undefined && (input.answer !== undefined || input.wrong !== undefined))
    throw invalid('both a metric and words to compare are given', 'Give --metric, or --answer and --wrong.');
  const { pairs: file, pairsText } = input;
  if (file !== undefined && pairsText !== undefined)
    throw invalid('pairs are given both as a file and as a text', 'Give one of them.');
  if (file === undefined && pairsText === undefined) return [await pairOf(model, input)];
  const name = file ?? 'pairs';
  const lines = (pairsText ?? (await readTextFile(name))).split(/\r?\n/);
  const pairs: Pair[] = [];
  for (const [i, line] of lines.entries())
    if (line.trim() !== '')
      pairs.push(await locateAsync(`${name}, line ${i + 1}`, () => pairOf(model, input, fieldsOf(line))));
  if (pairs.length > 0) return pairs;
  throw new UsageError(`${name} holds no pairs`, { code: 'PROMPT_EMPTY', hint: 'Write one JSON object a line.' });
};
