import { randomUUID } from 'node:crypto';
import { open, realpath, stat, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../base/index.js';
import { reasonOf, systemCode } from './file.node.js';

/** A file that cannot be written, with the system's reason. */
export const unwritable = (file: string, cause: unknown): UsageError => {
  const reason = systemCode(cause) === 'ENOENT' ? 'its folder does not exist' : reasonOf(cause);
  return new UsageError(`cannot write ${file}: ${reason}`, {
    code: 'OUT_UNWRITABLE',
    hint: 'Create the folder, choose another place, or make room.',
    details: { path: file, reason: systemCode(cause) },
    cause,
  });
};

/** Where a file is really put: behind a symbolic link. @throws Error when something else than a file is there */
export const targetOf = async (file: string): Promise<string> => {
  const there = await stat(file).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (there?.isDirectory()) throw new Error('it is a folder');
  if (there && !there.isFile()) throw new Error('it is no plain file');
  return there ? realpath(file) : path.resolve(file);
};

/** A new file beside the target, on the same disk, so that it can take the target's place at once. */
export const openBeside = async (
  target: string,
  ending = 'tmp',
): Promise<{ readonly handle: FileHandle; readonly temporary: string }> => {
  const temporary = path.join(
    path.dirname(target),
    `.${path.basename(target).slice(0, 100)}.${randomUUID()}.${ending}`,
  );
  return { handle: await open(temporary, 'wx'), temporary };
};

export const writeAll = async (handle: FileHandle, chunks: Iterable<Uint8Array>): Promise<void> => {
  const most = 2 ** 30; // one write of the system takes less than 2 GiB
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length;)
      at += (await handle.write(chunk, at, Math.min(most, chunk.length - at))).bytesWritten;
};

/**
 * Sees whether a file can be written, before hours of work: by writing an empty one beside it and taking it away.
 * @throws UsageError OUT_UNWRITABLE
 */
export const checkWritable = async (file: string): Promise<void> => {
  try {
    const { handle, temporary } = await openBeside(await targetOf(file));
    await handle.close();
    await unlink(temporary);
  } catch (cause) {
    throw unwritable(file, cause);
  }
};
