/** A line of the program; a run can stand at one that `stops`. Its number is its place, from 1. */
export interface Line {
  readonly text: string;
  readonly stops: boolean;
}

/** Lines as `list` has them, with their numbers; where a run can stand it does not say: at what gets a value. */
export const linesOf = (listing: readonly string[]): readonly Line[] =>
  listing.map((numbered) => {
    const text = numbered.replace(/^ *\d+ {2}/, '');
    return { text, stops: / = \w+\(/.test(text) };
  });

/** The first line from this one on at which a run can stand. */
export const lineToStop = (lines: readonly Line[], line: number): number | undefined => {
  const at = lines.findIndex(({ stops }, i) => i + 1 >= line && stops);
  return at < 0 ? undefined : at + 1;
};

/** Of a live process: a module, and the site that it gives. */
const besideModule = /^(\s*(?:[\w.]+: )?[A-Z]\w*(?:\(.*\))?)\s{2,}([a-z][\w.*]+)$/;

/** A line without the room before its shape, and the shape; of a live process the site. */
export const partsOf = (text: string): { readonly code: string; readonly shape: string } => {
  const [, code = text, shape = ''] = /^(.*?)\s{2,}(\[[^[\]]*\])$/.exec(text) ?? besideModule.exec(text) ?? [];
  return { code, shape };
};

const loop = /^for L in (\d+)\.\.(\d+):\s+# (\S+)$/;

/** Is the head of a loop that a part of the model (`blocks.3`, `embed`) runs in, or its own head? */
const isHeadOf = (text: string, part: string): boolean => {
  const [, from, to, name = ''] = loop.exec(text) ?? [];
  if (from === undefined) return text === `${part}:`;
  const [head = '', tail = ''] = name.split('{L}');
  const layer = part.slice(head.length, part.length - tail.length);
  const isInside = part.startsWith(head) && part.endsWith(tail) && /^\d+$/.test(layer);
  return isInside && Number(layer) >= Number(from) && Number(layer) <= Number(to);
};

/** The line that a part of the model begins with; a repeated layer's (`blocks.3#2`) is the layer's own. */
export const lineOfPart = (lines: readonly Line[], part: string): number | undefined => {
  const at = lines.findIndex(({ text }) => isHeadOf(text, part.replace(/#\d+$/, '')));
  return at < 0 ? undefined : at + 1;
};

/** Which lines are to be drawn: those in sight and some around, `from` counted from 0, `to` not included. */
export const linesInSight = (
  count: number,
  { top, height, each }: { readonly top: number; readonly height: number; readonly each: number },
): { readonly from: number; readonly to: number } => {
  const around = 8;
  return {
    from: Math.max(0, Math.min(count, Math.floor(top / each) - around)),
    to: Math.min(count, Math.ceil((top + height) / each) + around),
  };
};

/** The scroll that has a line in sight, as it is where that is so already; else the line in the upper third. */
export const scrollToLine = (
  line: number,
  { top, height, each }: { readonly top: number; readonly height: number; readonly each: number },
): number => {
  const y = (line - 1) * each;
  return y >= top + each && y + 2 * each <= top + height ? top : Math.max(0, y - height / 3);
};
