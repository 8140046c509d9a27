import { wrong, type Command } from './console.js';

/** All commands, or one with examples. @throws UsageError COMMAND_INVALID */
export const helpText = (commands: readonly Command[], name: string): string => {
  if (name === '') return commands.map((c) => `  ${c.usage.padEnd(58)}${c.help}`).join('\n');
  const found = commands.find((c) => c.names.includes(name));
  if (!found) throw wrong(`there is no command ${name}`, '`help` shows all.');
  return [
    `${found.usage}   (${found.names.join(', ')})`,
    `  ${found.help}`,
    ...(found.examples ?? []).map((e) => `  ${e}`),
  ].join('\n');
};
