import { openBrowser, startPage, type PageOptions } from '../server/index.js';
import { stateFolder } from '../service/host/index.js';
import type { Flags } from './action.js';

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Serves the page until Ctrl-C. @returns the exit status */
export const page = async (
  model: string | undefined,
  flags: Flags,
  { signal, done }: { readonly signal: AbortSignal; readonly done: () => void },
): Promise<number> => {
  const { port } = flags;
  const listen = text(flags['listen']);
  const say = (line: string): void => {
    if (flags['quiet'] !== true) process.stderr.write(`${line}\n`);
  };
  if (listen !== undefined)
    say(`warning: listening at ${listen}: whoever reaches it and has the address can run models and read files here`);
  try {
    const server = await startPage({
      ...{
        attach: flags['attach'] as PageOptions['attach'],
        model,
        listen,
        port: port === undefined ? undefined : Number(port),
      },
      ...{ session: text(flags['session']), folder: text(flags['folder']) ?? process.cwd(), state: stateFolder() },
    });
    process.stdout.write(`${server.address}\n`);
    say('The page is there; Ctrl-C ends it. `cutaway tour` is a first look as text, `cutaway --help` shows all verbs.');
    if (flags['open'] !== false) openBrowser(server.address);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
    await server.dispose();
    return 0;
  } finally {
    done();
  }
};
