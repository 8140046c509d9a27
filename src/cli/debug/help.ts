import { wrong, type Command } from './console.js';

const column = 58;

/** What is longer than the column has its meaning below. */
const line = ({ usage, help }: Command): string =>
  `  ${usage.length < column ? usage.padEnd(column) : `${usage}\n${' '.repeat(column + 2)}`}${help}`;

/** All commands, or one with examples. @throws UsageError COMMAND_INVALID */
export const helpText = (commands: readonly Command[], name: string): string => {
  if (name === '') return commands.map(line).join('\n');
  const found = commands.find((c) => c.names.includes(name));
  if (!found) throw wrong(`there is no command ${name}`, '`help` shows all.');
  return [
    `${found.usage}   (${found.names.join(', ')})`,
    `  ${found.help}`,
    ...(found.examples ?? []).map((e) => `  ${e}`),
  ].join('\n');
};
