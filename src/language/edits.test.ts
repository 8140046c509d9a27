import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatEdit, formatExperiment, parseEdit, parseEdits, parseExperiment, toEdit } from './index.js';

const page = readFileSync(new URL('../../docs/edits.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((m) => m[1] ?? '');
const lines = (language: string): string[] => blocks(language).flatMap((b) => b.trimEnd().split('\n'));

/** The examples of the contract, with what its dots and bars stand for written out. */
const contract = [
  'set blocks.0.attn.z[head=1] = 0.5',
  'set blocks.0.attn.z = zero',
  'set blocks.0.attn.z = mean',
  'set blocks.0.attn.z = mean of FILE.jsonl',
  'set blocks.0.attn.z = from prompt "a b"',
  'set blocks.0.attn.z = from recording FILE',
  'scale blocks.1.attn.z[head=2] by 0',
  'add 3 * direction(" Rome" - " Paris") at blocks.3.resid_post[position=-1]',
  'add 3 * vector(FILE.safetensors, "NAME") at blocks.3.resid_post',
  'weight NAME[out=1, in=2] = 1',
  'weight NAME[token=1] *= 1',
  'weight NAME += 1',
  'weight NAME += 2 * outer(vector(a.safetensors, "u"), vector(b.safetensors, "v"))',
  'replace weight NAME from FILE.safetensors "NAME"',
  'skip layer 3',
  'repeat layer 3',
  'swap layers 3 5',
  'drop head 3.2',
  'replace activation with relu',
  'config rope_theta = 5000',
  'scale grad(blocks.1.attn.z)[head=1] by 2',
  'set grad(blocks.1.attn.z)[head=1] = zero',
  'prompt "..."',
  'force token " Paris" at step 2',
  'temperature 0.7',
  'top-k 40',
  'top-p 0.9',
  'min-p 0.05',
  'repetition-penalty 1.1',
  'seed 7',
  'scale embed by 2 at step 3',
  'scale embed by 2 from step 3',
  'scale embed by 2 in steps 2..5',
  'skip layer decoder.3',
  'drop head decoder.cross.3.2',
  'scale blocks.3#2.attn.z by 0',
];

describe('the examples of the contract', () => {
  it.each(contract)('%s is read, and written the same', (line) => {
    expect(formatEdit(parseEdit(line))).toBe(line);
  });

  it.each(contract)('%s is the same as data', (line) => {
    const data: unknown = JSON.parse(JSON.stringify(parseEdit(line)));
    expect(toEdit(data)).toEqual(parseEdit(line));
  });

  it('reads the experiment that it shows', () => {
    const edit = { edit: 'scale', site: 'blocks.1.attn.z', where: { head: 2 }, by: 0, steps: { from: 1 } };
    const source = JSON.stringify({ experiment: 1, name: 'n', model: { fingerprint: 'f' }, edits: [edit] });
    expect(parseExperiment(source).edits).toEqual([parseEdit('scale blocks.1.attn.z[head=2] by 0 from step 1')]);
  });
});

describe('docs/edits.md', () => {
  it('shows as many texts as data', () => {
    expect(lines('edits').length).toBeGreaterThan(40);
    expect(lines('jsonl')).toHaveLength(lines('edits').length);
  });

  it.each(lines('edits').map((line, i) => [line, lines('jsonl')[i] ?? ''] as const))('%s is %s', (line, data) => {
    expect(JSON.stringify(parseEdit(line))).toBe(JSON.stringify(JSON.parse(data)));
    expect(JSON.stringify(toEdit(JSON.parse(data)))).toBe(JSON.stringify(JSON.parse(data)));
  });

  it('shows an experiment that is read, and comes back from its own file', () => {
    const experiment = parseExperiment(blocks('json')[0] ?? '');
    expect(experiment.edits).toHaveLength(2);
    expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
  });
});

describe('a file of edits', () => {
  it('skips blank lines and comments, and keeps the order', () => {
    const source = '# first\r\n\r\nseed 7 # note\n  temperature 0.7\n\tprompt "a # b"\n';
    expect(parseEdits(source).map((e) => e.edit)).toEqual(['seed', 'temperature', 'prompt']);
    expect(parseEdits(source)[2]).toEqual({ edit: 'prompt', text: 'a # b' });
  });

  it('is read as edits unless it begins with a brace', () => {
    expect(parseExperiment('seed 7\n')).toEqual({ experiment: 1, edits: [{ edit: 'seed', value: 7 }] });
  });
});
