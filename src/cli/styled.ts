import { styleText } from 'node:util';

type Style = Extract<Parameters<typeof styleText>[0], string>;

/** A text for standard output, in colour on a terminal alone. One style: Node 20 does not look at the stream for lists. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });
