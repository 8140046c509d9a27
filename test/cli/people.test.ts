import { stripVTControlCharacters } from 'node:util';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { columns, table } from '../../src/cli/table.js';
import { copyOf } from './broken.js';
import { cutaway, gpt2, llama, refused } from './command.js';

const shown = async (...args: readonly string[]): Promise<string> => {
  const { status, stdout } = await cutaway(...args);
  expect(status).toBe(0);
  return stripVTControlCharacters(stdout);
};

/** A copy of the model in which a token is spelled otherwise. */
const spelled = (token: string, otherwise: string): string => {
  const folder = copyOf();
  const file = path.join(folder, 'tokenizer.json');
  const text = readFileSync(file, 'utf8').replace(JSON.stringify(token), JSON.stringify(otherwise));
  writeFileSync(file, text);
  return folder;
};

describe('output for people', () => {
  it('of run: the model, the prompt as tokens, what comes next, the time', async () => {
    const text = await shown('run', gpt2, '--prompt', 't5 t17', '--top', '3');
    expect(text).toMatch(
      /^gpt2 {2}3 layers, 4 heads, width 24, vocabulary 61, 24144 parameters\n\n2 tokens: t5\|t17\n\nnext\n/,
    );
    expect(text.match(/^ +\d {2}t\d+ .* %/gm)).toHaveLength(3);
    expect(text).toMatch(/\nload \d+\.\d\d s, prefill \d+\.\d\d s\n$/);
  });

  it('of list without an option: layers folded, short', async () => {
    const text = await shown('list', gpt2);
    expect(text).toContain('blocks.L.attn.pattern');
    expect(text).not.toContain('blocks.1.');
    expect(text.split('\n').length).toBeLessThan(45);
    expect(Math.max(...text.split('\n').map(columns))).toBeLessThanOrEqual(100);
    const full = await shown('list', gpt2, '--sites', '--weights');
    expect(full).toContain('blocks.1.attn.pattern');
    expect(full).toContain('transformer.h.1.mlp.c_fc.weight');
  });

  it('of tokenize: places, with blanks visible', async () => {
    const text = await shown('tokenize', llama, '--text', 't5  t17');
    expect(text).toMatch(/0 {2}t5 +5 {2}0\.\.2\n +1 {2}t17 +17 {2}4\.\.7/);
  });

  it('shows control characters of a vocabulary as pictures', async () => {
    const folder = spelled('t5', 'a\u001b[2J\u009bb');
    for (const args of [
      ['run', folder, '--ids', '5,5'],
      ['run', folder, '--ids', '1', '--max-new-tokens', '1', '--edit', 'force token 5 at step 0'],
      ['tokenize', folder, '--text', 'a\u001b[2J\u009bb'],
    ]) {
      const { stdout } = await cutaway(...args);
      expect(stdout).toContain('a␛[2J�b');
      expect(stdout).not.toMatch(/[\u001b\u009b]/);
    }
  });

  it('keeps quiet with --quiet, and tells notes on standard error without it', async () => {
    const args = ['inspect', gpt2, '--ids', '1', '--sites', 'logits'];
    expect((await cutaway(...args)).stderr).toMatch(/^note: 1 sites?, 244 bytes\n$/);
    expect((await cutaway(...args, '--quiet')).stderr).toBe('');
  });
});

describe('help', () => {
  it.each(['run', 'inspect', 'list', 'tokenize'])('of %s has examples, in 80 columns', async (verb) => {
    const text = await shown(verb, '--help');
    expect(text).toContain(`Usage: cutaway ${verb}`);
    expect(text).toContain(`\n  $ cutaway ${verb} MODEL`);
    const body = text.slice(0, text.indexOf('Examples:'));
    expect(Math.max(...body.split('\n').map(columns))).toBeLessThanOrEqual(80);
  });

  it('tour is a first look: a wrong answer, and the edit that mends it', async () => {
    const text = await shown('tour');
    const { prompt, expected, wrong, edit } = JSON.parse(readFileSync('zoo/tour.json', 'utf8')) as Readonly<
      Record<'prompt' | 'expected' | 'wrong' | 'edit', string>
    >;
    expect(text).toContain(`${prompt}${wrong}\n   That is wrong: it should be ${expected.replace(' ', '·')}.`);
    expect(text).toContain(`Change it: ${edit}.\n\n   ${prompt}${expected}\n`);
    expect(text).toMatch(/blocks\.4 +·\S+ +\d/);
  });

  it('comes with --help, and names the verbs', async () => {
    expect(await shown('--help')).toMatch(/run [^]*inspect [^]*list [^]*tokenize /);
    expect(await shown('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('is where a mistaken verb leads', async () => {
    expect(await refused('OPTION_INVALID', 'runn', gpt2)).toContain('Did you mean run? `cutaway --help`');
  });
});

describe('table', () => {
  it('lines up wide characters, combining marks and colours', () => {
    const rows = ['ab', '日本', 'e\u0301', '🦙', '\u001b[1mx\u001b[22m'].map((cell) => [cell, '1']);
    const lines = table(['word', 'n'], rows).split('\n');
    expect(new Set(lines.map(columns))).toEqual(new Set([9]));
  });
});
