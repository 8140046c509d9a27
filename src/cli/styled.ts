import { styleText } from 'node:util';

/** A text for standard output, in colour on a terminal alone. */
export const styled = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { stream: process.stdout });
