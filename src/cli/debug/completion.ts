import type { Target } from '../../debugger/index.js';
import { scopeNames } from './commands.js';
import type { Command } from './console.js';

/** What can be written in the place of the end of a line, from a column on, from 0. */
export interface Candidates {
  readonly texts: readonly string[];
  readonly from: number;
}

const kinds = ['nan', 'inf', 'overflow16', 'repetition', 'entropy', 'lost', 'exploding', 'vanishing', 'off'];
/** After these a place, or a site, is named. */
const placed = new Set(['break', 'b', 'tbreak', 'tb', 'log', 'dprintf', 'x', 'attention', 'a', 'set', 'scale', 'record', 'display', 'print', 'p', 'watch', 'condition', 'add', 'backward', 'bw']); // prettier-ignore
/** Words that stand among places. */
const words: Readonly<Record<string, readonly string[]>> = {
  ...{
    break: ['backward', 'layer', 'token', 'if'],
    b: ['backward', 'layer', 'token', 'if'],
    tbreak: ['backward', 'layer', 'token', 'if'],
  },
  ...{ tb: ['layer', 'token', 'if'], log: ['layer', 'token', 'if'], watch: ['weight'], x: ['weight:'] },
  ...{ skip: ['layer'], repeat: ['layer'], swap: ['layers'], drop: ['head'], force: ['token'], replace: ['weight', 'activation'] }, // prettier-ignore
};

const weightsOf = async (target: Target): Promise<readonly string[]> =>
  (await target.view({ ask: 'scope', scope: 'weights', frame: 'generation' })).items.map((item) => item.name);

const beginning = (texts: readonly string[], text: string, from: number): Candidates => ({
  texts: texts.filter((candidate) => candidate.startsWith(text)),
  from,
});

/** Where a weight is named: `weight NAME`, `watch weight NAME`, `x weight:NAME`. */
const namesWeight = /^\s*(?:weight|(?:watch|replace)\s+weight|x\s+weight:)\s*$/;

/**
 * Candidates for the end of a line: commands, and, by the command, sites, weights, expressions, kinds.
 * @throws UsageError where the run cannot be asked
 */
export const candidates = async (line: string, commands: readonly Command[], target: Target): Promise<Candidates> => {
  const [, command = '', rest] = /^\s*(\S*)(\s[^]*)?$/.exec(line) ?? [];
  const names = commands.flatMap((c) => c.names);
  if (rest === undefined) return beginning(names, command, line.length - command.length);
  const word = /[^\s:]*$/.exec(line)?.[0] ?? '';
  const before = line.length - word.length;
  if (namesWeight.test(line.slice(0, before))) return beginning(await weightsOf(target), word, before);
  const isFirst = rest.trim() === word;
  if (command === 'help' || command === 'h') return beginning(names, word, before);
  if (command === 'catch') return beginning(isFirst ? kinds : [], word, before);
  if (command === 'info' || command === 'i') return beginning(['breakpoints', 'display', ...scopeNames], word, before);
  const own = (words[command] ?? []).filter((text) => word !== '' && text.startsWith(word));
  if (!placed.has(command)) return { texts: own, from: before };
  const { completions } = await target.view({ ask: 'complete', text: line, column: line.length + 1 });
  const from = (completions[0]?.from ?? before + 1) - 1;
  const found = completions.map((c) => c.text);
  return { texts: [...(from === before ? own.filter((text) => !found.includes(text)) : []), ...found], from };
};
