import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from '../base/index.js';

const longestFileBytes = 1_000_000_000;

const unreadable = (file: string, why: string, cause?: unknown): UsageError =>
  new UsageError(`${file} cannot be read: ${why}`, {
    code: 'FILE_UNREADABLE',
    hint: 'Check the path and the rights.',
    cause,
  });

/** Without the byte order mark that editors on Windows put in front, which is no part of the text. */
const withoutMark = (content: string): string => content.replace(/^\uFEFF/, '');

/** A text file the user named; `-` is standard input. @throws UsageError FILE_UNREADABLE */
export const readTextFile = async (file: string): Promise<string> => {
  if (file === '-') return withoutMark(await text(process.stdin));
  try {
    const { size } = await stat(file);
    if (size > longestFileBytes) throw unreadable(file, `${size} bytes are too many`);
    return withoutMark(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw unreadable(file, error instanceof Error ? error.message : 'unknown', error);
  }
};

/** Writes a file whole, or leaves what was there. @throws UsageError OUT_UNWRITABLE */
export const writeFileWhole = async (file: string, content: string | Uint8Array): Promise<void> => {
  const partial = `${file}.${process.pid}.partial`;
  try {
    await writeFile(partial, content);
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    throw new UsageError(`${file} cannot be written: ${cause instanceof Error ? cause.message : 'unknown'}`, {
      code: 'OUT_UNWRITABLE',
      hint: 'Check the folder and the rights.',
      cause,
    });
  }
};
