import { UsageError } from '../base/index.js';
import { siteIn, type ExpressionValue } from '../engine/index.js';
import { typesOf } from '../graph/index.js';
import { completeExpression, formatEdit } from '../language/index.js';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Debuggee } from '../service/index.js';
import type { Tensor } from '../tensor/index.js';
import { shownNumber, shownTensor } from './numbers.js';
import { viewOf } from './tensor-view.js';
import type { Variables } from './variables.js';

export type Result = DebugProtocol.EvaluateResponse['body'];

/** Words with which a change begins, in the edit language. */
export const editWords: readonly string[] = ['set', 'scale', 'add', 'weight', 'replace', 'skip', 'repeat', 'swap', 'drop', 'force', 'temperature', 'top-k', 'top-p', 'min-p', 'repetition-penalty', 'seed']; // prettier-ignore

/** A site's own name, for one as the listing has it: `attn.pattern` in layer 3 is `blocks.3.attn.pattern`. */
export const fullName = (text: string, { session }: Debuggee): string => {
  const { instance } = session;
  if (!instance) return text;
  const site = instance.segment.graph.sites.find((s) => s.name === `${instance.segment.id}.${text}`);
  return site ? siteIn(instance, site.name) : text;
};

/** On one line. */
export const valueText = (value: ExpressionValue): string => {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return shownNumber(value);
  return shownTensor(tensorOf(value));
};

const tensorOf = ({ data, shape }: Exclude<ExpressionValue, number | boolean>): Tensor =>
  data instanceof Float32Array
    ? { dtype: 'float32', shape, data }
    : { dtype: 'float64', shape, data: Float64Array.from(data) };

/** What an expression gives; a tensor can be opened. @throws UsageError EXPRESSION_*, SITE_* */
export const evaluated = async (expression: string, variables: Variables): Promise<Result> => {
  const debuggee = variables.debuggee();
  const text = fullName(expression.trim(), debuggee);
  const sites = debuggee.session.variant.order.flatMap((i) => i.segment.graph.sites.map((s) => siteIn(i, s.name)));
  if (sites.includes(text)) {
    const value = await debuggee.value(text);
    const { value: result, ...rest } = variables.shown(viewOf(value, { site: text, offset: variables.offset }));
    return { result, ...restOf(rest) };
  }
  const value = await debuggee.evaluate(text);
  if (typeof value !== 'object') return { result: valueText(value), type: typeof value, variablesReference: 0 };
  const view = viewOf({ tensor: tensorOf(value), axes: value.axes }, { offset: variables.offset });
  const { value: result, ...rest } = variables.shown(view);
  return { result, ...restOf(rest) };
};

const restOf = ({ type, variablesReference, indexedVariables, memoryReference }: Partial<DebugProtocol.Variable>) => ({
  variablesReference: variablesReference ?? 0,
  ...(type === undefined ? {} : { type }),
  ...(indexedVariables === undefined ? {} : { indexedVariables }),
  ...(memoryReference === undefined ? {} : { memoryReference }),
});

/** What a word of the console does besides expressions; `undefined`: it is no such word. */
export const console = async (
  text: string,
  debuggee: Debuggee,
): Promise<{ readonly said: string; readonly changed: boolean } | undefined> => {
  const [word = '', count] = text.trim().split(/\s+/);
  if (editWords.includes(word)) {
    const notes = await debuggee.edit(text);
    return { said: [...notes.map((note) => `note: ${note}`), `changed: ${text.trim()}`].join('\n'), changed: true };
  }
  switch (word) {
    case 'undo':
      return (await debuggee.undo())
        ? { said: 'undone', changed: true }
        : { said: 'there is nothing to undo', changed: false };
    case 'redo':
      return (await debuggee.redo())
        ? { said: 'made again', changed: true }
        : { said: 'there is nothing to redo', changed: false };
    case 'edits':
      return { said: debuggee.edits.map((edit) => formatEdit(edit)).join('\n') || 'no changes', changed: false };
    case 'words': {
      const words = await debuggee.words(Math.min(100, Number(count ?? 5) || 5));
      const lines = words.map(
        (w) => `${(100 * w.probability).toFixed(2).padStart(6)} %  ${JSON.stringify(w.text)}  ${w.id}`,
      );
      return { said: lines.join('\n') || 'nothing is known yet of what comes next', changed: false };
    }
    case 'help':
      return { said: help, changed: false };
    default:
      return undefined;
  }
};

const help = `an expression         what it gives here: norm(blocks.2.resid_post), prob(" Paris")
an edit               a change from this layer on: scale blocks.1.attn.z[head=2] by 0
undo, redo, edits     changes taken back, made again, listed
words [N]             what the model says next, or would say if it ended here
step, layer, token    on by an operation, a layer, a token
back, back layer, back token    the same, back`;

/** How a change of a value is written: a number, `zero`, `mean`, `*0.5`, or another right side of `set`. */
export const changeOf = (place: string, value: string, step: number): string => {
  const text = value.trim();
  if (/[\r\n]/.test(text) || text === '')
    throw new UsageError('a value is a number, zero, mean, or *NUMBER', {
      code: 'EDIT_INVALID',
      hint: 'For example 0.5, zero, mean, *0.5.',
    });
  const factor = /^\*\s*(.+)$/.exec(text)?.[1];
  return factor === undefined
    ? `set ${place} = ${text} at step ${step}`
    : `scale ${place} by ${factor} at step ${step}`;
};

/** What can be written at a column, from 1. */
export const completions = (text: string, column: number, { session }: Debuggee): DebugProtocol.CompletionItem[] => {
  const sites = session.variant.order.flatMap((i) => {
    const types = typesOf(i.segment.graph);
    return i.segment.graph.sites.map((s) => ({ name: siteIn(i, s.name), axes: types.get(s.value)?.axes ?? [] }));
  });
  const found = completeExpression(text, column, { sites }).map(({ text: label, kind, from, detail }) => ({
    ...{ label, start: from, length: Math.max(0, column - from), detail },
    type: kind === 'function' ? ('function' as const) : kind === 'site' ? ('variable' as const) : ('keyword' as const),
  }));
  const word = /^\s*([\w-]*)$/.exec(text.slice(0, Math.max(0, column - 1)))?.[1];
  if (word === undefined) return found;
  const words = [...editWords, 'undo', 'redo', 'edits', 'words', 'help', 'step', 'layer', 'token', 'back'];
  const start = column - word.length;
  const own = words
    .filter((w) => w.startsWith(word))
    .map((label) => ({ label, start, length: word.length, type: 'keyword' as const }));
  return [...own, ...found];
};
