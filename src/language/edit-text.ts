import { nearest, UsageError } from '../base/index.js';
import { forms, type Form } from './edit-forms.js';
import { longestEditsText, type Edit, type EditKind } from './edits.js';
import { Scanner } from './scanner.js';

const kinds = Object.keys(forms) as EditKind[];
/** Longer ones first: `scale grad` before `scale`. */
const byLength = kinds.toSorted((a, b) => b.length - a.length);
const generalHint = 'docs/edits.md shows all forms of edits.';

const usageOf = (kind: EditKind): string => {
  const { usage } = forms[kind];
  return kind + (usage.startsWith('(') ? '' : ' ') + usage;
};

/** How each kind of edit is written, for help and completion. */
export const editUsages: readonly string[] = kinds.map(usageOf);

const refuseLong = (text: string): void => {
  if (text.length <= longestEditsText) return;
  throw new UsageError(`a text of ${text.length} characters is too long for edits`, {
    code: 'EDIT_INVALID',
    hint: `At most ${longestEditsText} characters are read: cut it into several experiments.`,
  });
};

const scanKind = (s: Scanner): EditKind => {
  const column = s.column;
  const kind = byLength.find((words) => s.eat(words));
  if (kind !== undefined) return kind;
  const word = s.take(/[\w-]{1,40}/y)?.[0] ?? '';
  const near = word === '' ? kinds : nearest(word, kinds);
  throw s.error(
    `an edit such as ${near
      .slice(0, 3)
      .map((k) => `\`${k}\``)
      .join(', ')}`,
    column,
  );
};

/** One edit, or undefined for a line that is blank or a comment. */
const parseLine = (text: string, line?: number): Edit | undefined => {
  const source = { code: 'EDIT_SYNTAX', comments: true, ...(line === undefined ? {} : { line }) } as const;
  const start = new Scanner(text, { ...source, hint: generalHint });
  if (start.atEnd) return undefined;
  const kind = scanKind(start);
  const s = start.told(`An edit of this kind is written \`${usageOf(kind)}\`.`);
  const edit = { edit: kind, ...forms[kind].scan(s) } as Edit;
  s.expectEnd();
  return edit;
};

/**
 * One edit in one line of text.
 * @throws UsageError EDIT_SYNTAX with the column, EDIT_INVALID for a text that is too long
 */
export const parseEdit = (text: string): Edit => {
  refuseLong(text);
  const edit = parseLine(text);
  if (edit) return edit;
  throw new UsageError('column 1: expected an edit, found the end', { code: 'EDIT_SYNTAX', hint: generalHint });
};

/**
 * Edits, one a line; blank lines and comments are skipped.
 * @throws UsageError EDIT_SYNTAX with line and column, EDIT_INVALID for a text that is too long
 */
export const parseEdits = (text: string): readonly Edit[] => {
  refuseLong(text);
  return text.split(/\r?\n/).flatMap((line, i) => parseLine(line, i + 1) ?? []);
};

/** The line of text that `parseEdit` reads back as the same edit. */
export const formatEdit = (edit: Edit): string => {
  const body = (forms[edit.edit] as unknown as Form<EditKind>).format(edit);
  return edit.edit + (body.startsWith('(') ? '' : ' ') + body;
};

/** Edits as text, one a line. */
export const formatEdits = (edits: readonly Edit[]): string => edits.map((edit) => `${formatEdit(edit)}\n`).join('');
