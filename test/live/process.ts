import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'vitest';
import { pythonOrSkip } from '../support/python.js';
import { root } from '../support/root.js';

/** A Python process with an agent in it. */
export interface LiveProcess {
  readonly host: string;
  readonly port: number;
  /** Of all agents in it. */
  readonly ports: readonly number[];
  readonly token: string;
  readonly child: ChildProcess;
  /** What it printed so far, a text a line. */
  readonly lines: readonly string[];
  /** Waits until a line fits. */
  line(fits: RegExp): Promise<string>;
  /** Waits until it has ended. @returns its exit status, or the signal */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  end(): Promise<void>;
}

const scripts = path.join(root, 'test/python/live');

interface Started {
  readonly python: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts Python on a script of test/python/live, or with other arguments; its agent prints `listening PORT`. */
export const startPython = async ({ python, args, env }: Started): Promise<LiveProcess> => {
  const child = spawn(python, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PYTHONPATH: path.join(root, 'python/cutaway_agent'),
      TOKENIZERS_PARALLELISM: 'false',
      ...env,
    },
  });
  const lines: string[] = [];
  const waiting: { fits: RegExp; take: (line: string) => void }[] = [];
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const [i, { fits, take }] of [...waiting.entries()].reverse())
      if (fits.test(line)) {
        waiting.splice(i, 1);
        take(line);
      }
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  const line = (fits: RegExp): Promise<string> => {
    const known = lines.find((l) => fits.test(l));
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      waiting.push({ fits, take: resolve });
      void ended.then((status) => reject(new Error(`Python ended with ${status} before ${String(fits)}: ${errors}`)));
    });
  };
  const ports = (await line(/^listening \d+/)).split(' ').slice(1).map(Number);
  const [port = 0] = ports;
  return {
    ...{ host: '127.0.0.1', port, ports, token: 'secret', child, lines, line, ended },
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

/** A script of test/python/live. */
export const startScript = (context: TestContext, script: string, ...args: readonly string[]): Promise<LiveProcess> => {
  const python = pythonOrSkip(context, 'torch', 'transformers');
  return startPython({ python, args: [path.join(scripts, script), ...args] });
};

/** Runs Python in the agent's folder, to its end; both streams as one text. */
export const runPython = (python: string, args: readonly string[]): { status: number | null; output: string } => {
  const cwd = path.join(root, 'python/cutaway_agent');
  const env = { ...process.env, PYTHONPATH: cwd };
  const { status, stdout, stderr } = spawnSync(python, args, { cwd, env, encoding: 'utf8', timeout: 150_000 });
  return { status, output: stdout + stderr };
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** The first of two free ports one behind the other. */
export const freePorts = async (): Promise<number> => {
  for (let port = 20_000 + (process.pid % 20_000); port < 60_000; port += 2)
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  throw new Error('no port is free');
};
