import type { Target } from '../debugger/index.js';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Variables } from './variables.js';

export type Result = DebugProtocol.EvaluateResponse['body'];

/** Words with which a change begins, in the edit language. */
export const editWords: readonly string[] = ['set', 'scale', 'add', 'weight', 'replace', 'skip', 'repeat', 'swap', 'drop', 'force', 'temperature', 'top-k', 'top-p', 'min-p', 'repetition-penalty', 'seed']; // prettier-ignore

/** What an expression gives; a tensor can be opened. @throws UsageError EXPRESSION_*, SITE_* */
export const evaluated = async (expression: string, variables: Variables): Promise<Result> => {
  const found = await variables.target().view({ ask: 'evaluate', expression });
  const { value: result, type, variablesReference, indexedVariables, memoryReference } = variables.variable(found);
  return {
    ...{ result, ...(type === undefined ? {} : { type }), variablesReference },
    ...(indexedVariables === undefined ? {} : { indexedVariables }),
    ...(memoryReference === undefined ? {} : { memoryReference }),
  };
};

const wordsLine = async (target: Target, count: number): Promise<string> => {
  const { words } = await target.view({ ask: 'words', count });
  const lines = words.map(
    (w) => `${(100 * w.probability).toFixed(2).padStart(6)} %  ${JSON.stringify(w.text)}  ${w.id}`,
  );
  return lines.join('\n') || 'nothing is known yet of what comes next';
};

/** What a word of the console did. */
export interface Said {
  readonly said: string;
  readonly changed: boolean;
}

/** What a word of the console does besides expressions; `undefined`: it is no such word. */
export const console = async (text: string, target: Target): Promise<Said | undefined> => {
  const [word = '', count] = text.trim().split(/\s+/);
  if (editWords.includes(word)) {
    const { notes } = await target.apply({ change: 'edit', text });
    return { said: [...notes.map((note) => `note: ${note}`), `changed: ${text.trim()}`].join('\n'), changed: true };
  }
  switch (word) {
    case 'undo':
    case 'redo': {
      const { done } = await target.apply({ change: word });
      const made = word === 'undo' ? 'undone' : 'made again';
      return { said: done ? made : `there is nothing to ${word}`, changed: done };
    }
    case 'edits':
      return { said: target.state.edits.join('\n') || 'no changes', changed: false };
    case 'words':
      return { said: await wordsLine(target, Math.min(100, Number(count ?? 5) || 5)), changed: false };
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
back, back layer, back token    the same, back
backward EXPRESSION   the way back of a number, along its gradients: grad(SITE); backward off leaves it`;

/** What can be written at a column, from 1. */
export const completions = async (
  text: string,
  column: number,
  target: Target,
): Promise<DebugProtocol.CompletionItem[]> => {
  const found = await target.view({ ask: 'complete', text, column });
  const items = found.completions.map(({ text: label, kind, from, detail }) => ({
    ...{ label, start: from, length: Math.max(0, column - from), detail },
    type: kind === 'function' ? ('function' as const) : kind === 'site' ? ('variable' as const) : ('keyword' as const),
  }));
  const word = /^\s*([\w-]*)$/.exec(text.slice(0, Math.max(0, column - 1)))?.[1];
  if (word === undefined) return items;
  const words = [...editWords, 'undo', 'redo', 'edits', 'words', 'help', 'step', 'layer', 'token', 'back', 'backward'];
  const start = column - word.length;
  const own = words
    .filter((w) => w.startsWith(word))
    .map((label) => ({ label, start, length: word.length, type: 'keyword' as const }));
  return [...own, ...items];
};
