import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { expect } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line.js';
import { goldenFolder } from '../support/golden.js';
import { root } from '../support/root.js';

/** What a command printed, and its exit status. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A tiny model by its variant. */
export const tiny = (variant: string): string => path.join(goldenFolder, variant);

/** 3 layers, 4 heads, width 24, 61 tokens `t0` to `t60`, 40 positions; with a tokenizer. */
export const gpt2 = tiny('gpt2-default');
/** The same proportions, grouped keys, untied head, 48 positions; with a tokenizer. */
export const llama = tiny('llama-grouped');
/** As gpt2, without a tokenizer. */
export const untokenized = tiny('gpt2-untied');

/** Collects what is written to a stream until it is restored. */
const collect = (stream: NodeJS.WriteStream): { text: () => string; restore: () => void } => {
  const chunks: string[] = [];
  const write = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array): boolean => {
    chunks.push(typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk));
    return true;
  };
  return {
    text: () => chunks.join(''),
    restore: () => {
      stream.write = write;
    },
  };
};

/** Runs a command line in this process. */
export const cutaway = async (...args: readonly string[]): Promise<Outcome> => {
  const [out, err] = [collect(process.stdout), collect(process.stderr)];
  try {
    const status = await runCommandLine(args);
    return { status, stdout: out.text(), stderr: err.text() };
  } finally {
    out.restore();
    err.restore();
  }
};

/** The JSON document of a command that must succeed. */
export const json = async <T = unknown>(...args: readonly string[]): Promise<T> => {
  const { status, stdout, stderr } = await cutaway(...args, '--json');
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as T;
};

/**
 * Runs a command that must be refused as the caller's mistake or the model's fault: status 2, nothing on standard
 * output, message, hint and code on standard error, no stack trace.
 * @returns what it told
 */
export const refused = async (code: string, ...args: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await cutaway(...args);
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^(note: .*\n)*error \\S[^]*\n  \\S[^]*\n  \\[${code}\\]\n$`)) as string,
  });
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr;
};

/** Starts the command line as a process of its own. */
export const start = (...args: readonly string[]): ChildProcess => startIn({}, ...args);

/** The same, in an environment with more in it. */
export const startIn = (env: Readonly<Record<string, string>>, ...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', path.join(root, 'src/cli/main.ts'), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  });

/** Waits for a process that `start` made; `status` is -1 where a signal killed it. */
export const finish = (child: ChildProcess): Promise<Outcome> => {
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status: status ?? -1, stdout: out.join(''), stderr: err.join('') });
    });
  });
};
