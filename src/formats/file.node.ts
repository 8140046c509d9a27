import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { ModelError, type ErrorCode, type JsonObject } from '../base/index.js';
import { parseLenientJson } from './lenient-json.js';

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or folder'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the disk can only be read'],
  ['ELOOP', 'its symbolic links go round in a circle'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EMFILE', 'too many files are open'],
]);

/** The system's code of an error, such as `ENOENT`. */
export const systemCode = (error: unknown): string => {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};

/** Why the system refused, in words. */
export const reasonOf = (error: unknown): string => {
  const known = reasons.get(systemCode(error));
  return known ?? (error instanceof Error ? error.message : String(error));
};

/** A file that cannot be read, with the system's reason. */
export const unreadable = (path: string, cause: unknown): ModelError =>
  new ModelError(`cannot read ${path}: ${reasonOf(cause)}`, {
    code: 'FILE_UNREADABLE',
    hint: 'Check the path and its permissions.',
    details: { path, reason: systemCode(cause) },
    cause,
  });

/**
 * Opens a plain file for reading; a pipe or a device is refused and never waited for.
 * @throws ModelError FILE_UNREADABLE
 */
export const openFile = async (path: string): Promise<{ readonly handle: FileHandle; readonly size: number }> => {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (stat.isFile()) return { handle, size: stat.size };
    throw new Error(stat.isDirectory() ? 'it is a folder' : 'it is no plain file');
  } catch (cause) {
    await handle?.close();
    throw unreadable(path, cause);
  }
};

/**
 * Fills a buffer from a place in a file.
 * @throws ModelError FILE_UNREADABLE, also where the file has become shorter
 */
export const readInto = async (
  file: { readonly handle: FileHandle; readonly path: string },
  buffer: Uint8Array,
  position: number,
): Promise<void> => {
  const most = 2 ** 30; // one read of the system takes less than 2 GiB
  let done = 0;
  while (done < buffer.length) {
    const length = Math.min(most, buffer.length - done);
    const { bytesRead } = await file.handle.read(buffer, done, length, position + done).catch((cause: unknown) => {
      throw unreadable(file.path, cause);
    });
    if (bytesRead === 0) throw unreadable(file.path, new Error('it ended early: was it changed meanwhile?'));
    done += bytesRead;
  }
};

/**
 * A whole small file.
 * @throws ModelError FILE_UNREADABLE, also where it is larger than `limitBytes`, before memory is taken
 */
export const readSmallFile = async (path: string, limitBytes: number): Promise<Uint8Array> => {
  const { handle, size } = await openFile(path);
  try {
    if (size > limitBytes)
      throw unreadable(path, new Error(`it has ${size} bytes, more than the ${limitBytes} that are sensible`));
    const bytes = new Uint8Array(size);
    await readInto({ handle, path }, bytes, 0);
    return bytes;
  } finally {
    await handle.close();
  }
};

/**
 * A small file that holds a JSON object. Python's NaN and Infinity are understood.
 * @throws ModelError FILE_UNREADABLE, or `invalid.code` where it is no JSON object
 */
export const readJsonObject = async (
  path: string,
  invalid: { readonly code: ErrorCode; readonly limitBytes: number },
): Promise<JsonObject> => {
  const bytes = await readSmallFile(path, invalid.limitBytes);
  const refuse = (what: string, cause?: unknown) =>
    new ModelError(`${path} ${what}`, {
      code: invalid.code,
      hint: 'The file is damaged or was edited: take it anew from the place that the model came from.',
      details: { path },
      cause,
    });
  let value: unknown;
  try {
    value = parseLenientJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse(`is not JSON: ${reasonOf(cause)}`, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw refuse('holds no JSON object');
};
