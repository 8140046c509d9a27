import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { UsageError } from '../../../base/index.js';
import { openJournal, type Journal } from '../journal.js';
import { readSession, type KeptSession } from './kept-session.js';
import { stateFolder } from './state-folder.js';

/** Sessions that are kept; the oldest goes when another one begins. */
const mostSessions = 20;
const ending = '.journal';

/** Where debuggers keep their sessions. */
export const sessionsFolder = (): string => path.join(stateFolder(), 'sessions');

/** One name for a model, however it was given: a real path, or `zoo:NAME`. */
export const modelNamed = (given: string): string => {
  if (existsSync(given)) return realpathSync(given);
  return given.startsWith('zoo:') ? given : `zoo:${given}`;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
};

/** Does it go on, as far as this machine can tell? */
export const isOpen = ({ begun, ended }: KeptSession): boolean =>
  !ended && begun.machine === hostname() && isAlive(begun.pid);

const filesIn = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names.filter((name) => name.endsWith(ending)).map((name) => path.join(folder, name));
};

/** A file that another program made unreadable is no reason to stop. */
const known = async (file: string): Promise<KeptSession | undefined> => readSession(file).catch(() => undefined);

/** Sessions that can be brought back, of one model or of all, the newest first; not those that go on. */
export const keptSessions = async (model?: string): Promise<readonly KeptSession[]> => {
  const all = await Promise.all((await filesIn(sessionsFolder())).map(known));
  return all
    .filter((s): s is KeptSession => s !== undefined && !isOpen(s))
    .filter((s) => model === undefined || s.begun.input.model === modelNamed(model))
    .sort((a, b) => b.begun.date.localeCompare(a.begun.date));
};

/** Makes room for another one. */
const dropOldest = async (): Promise<void> => {
  const kept = await keptSessions();
  for (const { file } of kept.slice(mostSessions - 1)) await rm(file, { force: true });
};

/** Begins a file for a session, for its user's eyes alone. @throws UsageError FILE_UNREADABLE, or an error of the disk */
export const beginFile = async (): Promise<Journal> => {
  const folder = sessionsFolder();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await dropOldest();
  const date = new Date().toISOString().replaceAll(/[:.]/g, '-');
  return openJournal(path.join(folder, `${date}-${randomUUID().slice(0, 8)}${ending}`));
};

/** Removes a session's file, and the folders where they are then empty. */
export const removeSession = async (file: string): Promise<void> => {
  await rm(file, { force: true }).catch(() => undefined);
  if (path.dirname(file) !== sessionsFolder()) return;
  await rmdir(sessionsFolder()).then(() => rmdir(stateFolder()), () => undefined).catch(() => undefined); // prettier-ignore
};

const notFound = (message: string): UsageError =>
  new UsageError(message, {
    code: 'FILE_UNREADABLE',
    hint: 'A session is kept from its first change or breakpoint on, until it ends with nothing unsaved; `restore` lists those that there are.',
  });

/**
 * The session in a file.
 * @throws UsageError FILE_UNREADABLE for one that goes on, or what is none
 */
export const sessionIn = async (file: string): Promise<KeptSession> => {
  const session = await readSession(file);
  if (!session) throw notFound(`${file} is no session of the debugger`);
  if (isOpen(session)) throw notFound(`the session ${file} is still open, in process ${session.begun.pid}`);
  return session;
};

/** The last session of a model. @throws UsageError FILE_UNREADABLE where there is none */
export const lastSession = async (model: string): Promise<KeptSession> => {
  const [last] = await keptSessions(model);
  if (last) return last;
  throw notFound(`there is no session of ${model} to restore`);
};
