/** Finds links in Markdown files that lead nowhere. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export interface BrokenLink {
  /** Relative to the root. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly link: string;
  readonly reason: string;
}

const skipped = new Set(['node_modules', 'dist', '.git', '.venv', 'coverage', 'models']);

const markdownFiles = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownFiles(file);
    return entry.name.endsWith('.md') ? [file] : [];
  });

/** The lines of a text with what stands in fences and code spans blanked, so that places stay true. */
const withoutCode = (text: string): string[] => {
  let fence = '';
  return text.split('\n').map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1]?.slice(0, 3) ?? '';
    if (fence !== '') {
      if (mark === fence) fence = '';
      return '';
    }
    if (mark !== '') {
      fence = mark;
      return '';
    }
    return line.replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, (code) => ' '.repeat(code.length));
  });
};

/** The anchor that GitHub makes of a heading. */
const slug = (heading: string): string =>
  heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replaceAll(' ', '-');

/** Every anchor of a Markdown text: headings (the second of a name ends in `-1`) and explicit ids. */
export const anchorsOf = (text: string): Set<string> => {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  const visible = withoutCode(text);
  text.split('\n').forEach((line, index) => {
    if (visible[index] === '') return;
    for (const id of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id[1] ?? '');
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/.exec(line)?.[1];
    if (heading === undefined) return;
    const base = slug(heading);
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    anchors.add(count === 0 ? base : `${base}-${count}`);
  });
  return anchors;
};

const linksIn = (line: string): string[] => [
  ...[...line.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+["'][^)]*)?\)/g)].map((match) => match[1] ?? ''),
  ...[...line.matchAll(/^\s*\[[^\]^][^\]]*\]:\s+<?([^\s>]+)/g)].map((match) => match[1] ?? ''),
  ...[...line.matchAll(/<(?:a|img)\s[^>]*(?:href|src)="([^"]+)"/g)].map((match) => match[1] ?? ''),
];

const isExternal = (link: string): boolean => /^([a-z][a-z+.-]*:|\/\/)/i.test(link);

/** Why a link leads nowhere; undefined when it leads somewhere. */
const problem = (root: string, file: string, link: string): string | undefined => {
  const [target = '', anchor] = link.split('#', 2);
  const from = target.startsWith('/') ? root : path.dirname(file);
  const to = target === '' ? file : path.join(from, decodeURIComponent(target));
  if (path.relative(root, to).startsWith('..')) return 'leaves the repository';
  if (!existsSync(to)) return 'no such file';
  if (anchor === undefined || anchor === '' || !statSync(to).isFile() || !to.endsWith('.md')) return undefined;
  return anchorsOf(readFileSync(to, 'utf8')).has(decodeURIComponent(anchor)) ? undefined : 'no such heading';
};

/** @param root absolute path of the folder whose Markdown files are read */
export const brokenLinks = (root: string): BrokenLink[] =>
  markdownFiles(root).flatMap((file) =>
    withoutCode(readFileSync(file, 'utf8')).flatMap((text, index) =>
      linksIn(text).flatMap((link) => {
        const reason = isExternal(link) ? undefined : problem(root, file, link);
        return reason === undefined ? [] : [{ file: path.relative(root, file), line: index + 1, link, reason }];
      }),
    ),
  );
