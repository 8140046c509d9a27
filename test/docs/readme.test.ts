import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { fencesOf } from '../support/markdown.js';
import { root } from '../support/root.js';
import { sharedOrSkip } from '../support/shared.js';

/** What a reader would type, and what the page says comes of it. */
interface Transcript {
  readonly command: string;
  readonly output: string;
}

const page = readFileSync(path.join(root, 'README.md'), 'utf8');
const transcripts: readonly Transcript[] = fencesOf(page, 'console').map((text) => {
  const [first = '', ...rest] = text.split('\n');
  return { command: first.replace(/^\$ /, ''), output: rest.join('\n') };
});

/** The words of a shell command of plain words and texts in double quotes. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');

const environment = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };

/** Runs the sources as `npx cutaway` runs what is built of them; notes come before the answer. */
const runCutaway = (words: readonly string[]): string => {
  const args = ['--import', 'tsx', 'src/cli/main.ts', ...words];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: environment,
  });
  expect(status, stderr).toBe(0);
  return stderr + stdout;
};

/** Times differ from run to run; spaces depend on the widths of numbers. */
const settled = (text: string): string =>
  text
    .replaceAll(/\d+\.\d+ (s|tokens\/s)\b/g, 'TIME $1')
    .replaceAll(/[ ]+/g, ' ')
    .trim();

const decimal = /-?\d+\.\d+(?:e[+-]\d+)?/g;
const numbersIn = (text: string): number[] => (text.match(decimal) ?? []).map(Number);

/** Words must agree exactly, decimals to what another processor's rounding may change. */
const expectAlike = (real: string, told: string): void => {
  expect(real.replaceAll(decimal, 'N')).toContain(told.replaceAll(decimal, 'N'));
  const places = real.replaceAll(decimal, 'N').split(told.replaceAll(decimal, 'N'))[0]?.match(/N/g)?.length ?? 0;
  const [reals, tolds] = [numbersIn(real).slice(places), numbersIn(told)];
  tolds.forEach((value, i) =>
    expect(Math.abs((reals[i] ?? NaN) - value)).toBeLessThanOrEqual(2e-3 * Math.max(1, Math.abs(value))),
  );
};

const modelOf = (word: string, context: TestContext): string =>
  word === 'PATH_TO_TINYSTORIES' ? sharedOrSkip(context, 'models/tinystories-656k') : word;

describe('README.md', () => {
  it('shows at least run, inspect, an edit and a listing', () => {
    const commands = transcripts.map((t) => t.command).join('\n');
    for (const word of ['cutaway run', 'cutaway inspect', '--edit', '--listing']) expect(commands).toContain(word);
  });

  it.for(transcripts)('$command', { timeout: 60_000 }, (transcript, context) => {
    const [npx, cutaway, ...words] = wordsOf(transcript.command);
    expect([npx, cutaway]).toEqual(['npx', 'cutaway']);
    const real = settled(runCutaway(words.map((word) => modelOf(word, context))));
    for (const part of transcript.output.split(/^\.\.\.$/m)) expectAlike(real, settled(part));
  });

  it('gives the test command under its marker', () => {
    expect(page).toMatch(/<!-- test-command -->\n\n```sh\nnpm ci && npm test\n```/);
  });
});
