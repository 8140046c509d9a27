import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { write } from './broken.js';
import { cutaway, llama } from './command.js';

let files = 0;

/** What the debugger prints for some commands, each after its own line, without colours. */
const session = async (lines: readonly string[]): Promise<string> => {
  const script = write(`places-${files++}.txt`, [...lines, 'quit'].join('\n'));
  const { status, stdout } = await cutaway(
    ...['debug', llama, '--ids', '5,42,9,31', '--max-new-tokens', '4', '--ignore-eos', '-x', script],
  );
  expect(status).toBe(0);
  return stripVTControlCharacters(stdout);
};

/** Where it stood, and at which breakpoint. */
const stopsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^breakpoint (\d+)\n(\S+?)(?:, (step \d))?\n/gm)].map(([, n, place, step = 'step 0']) =>
    [n, place, step].join(' '),
  );

describe('where a breakpoint can be', () => {
  it('is a line or sites, of some layers and tokens alone', async () => {
    const lines = ['break 20 layer 1 token 2', 'break blocks.*.attn.z layer 0,2 token 1', 'tbreak layer 1..2 token 3'];
    const text = await session([...lines, 'info b', 'c', 'c', 'c', 'c', 'c']);
    expect(stopsIn(text)).toEqual([
      ...['2 blocks.0 step 1', '2 blocks.2 step 1'],
      ...['1 blocks.1 step 2', '3 blocks.1 step 3'],
    ]);
    expect(text).toContain('1  20 layer 1 token 2\n2  blocks.*.attn.z layer 0,2 token 1\n3  layer 1..2 token 3  once');
    expect(text).toContain('end of step 4');
  });

  it('is a token by its text: before the step that is fed it', async () => {
    const said = /end of step 4: t5t42t9t31(t\d+)(t\d+)/.exec(await session(['c']));
    const [, first = '', second = ''] = said ?? [];
    expect(first).not.toBe(second);
    const text = await session([
      `break token "${second}"`,
      `break layer 2 token "${first}" if step > 0`,
      'c',
      'c',
      'where',
    ]);
    expect(stopsIn(text)).toEqual(['2 blocks.2 step 1', '1 embed step 2']);
    expect(text).toContain(`step 2 of 6 tokens, the last ${second}`);
  });

  it('is refused where the run never comes', async () => {
    const text = await session([
      ...['break layer 99', 'break token 9', 'break token " nothing of it"', 'break 20 embed', 'break layer 1 layer 2'],
      ...['info b'],
    ]);
    expect(text.match(/^error /gm)).toHaveLength(5);
    expect(text).toContain('there is no layer 99\n  Layers go from 0 to 2.');
    expect(text).toContain('the generation does not get to token 9');
    expect(text).toContain('no breakpoints');
  });
});

describe('a place reached from behind', () => {
  it('is what it was from the front: the words, and what is not known yet', async () => {
    const look = ['words 3', 'print entropy', 'print lens_prob(5)'];
    const text = await session([
      'layer 2',
      ...look,
      'c',
      'goto 0',
      'layer 2',
      ...look,
      'break 20 if entropy < 99',
      'goto 0',
      'c',
    ]);
    const [, front = '', behind = ''] = text.split(/^blocks\.1\n.*\n/m);
    const seen = (part: string): string => /^ +token[^]*?\nerror [^]*?\n {2}.*\n\d.*$/m.exec(part)?.[0] ?? 'nothing';
    expect(seen(behind)).toBe(seen(front));
    expect(seen(front)).toContain('not known before the end of this step');
    const caught = await session(['c', 'goto 0', 'layer', 'catch entropy 99', 'c']);
    expect(caught.split('entropy: ').at(-1)).toMatch(/^entropy fell to .*\nend of step 0/);
    expect(stopsIn(text)).toEqual([]); // it is not known at line 20, the second time either
  });
});

it('what is not known yet can be displayed, and what no run knows is refused', async () => {
  const lines = ['display layer', 'display norm(blocks.1.resid_post)', 'display blocks.9.embed', 'display 1 +'];
  const text = await session([...lines, 'info display', 'layer 2']);
  expect(text).toMatch(/^1: layer = – .*\n2: norm\(blocks\.1\.resid_post\) = – .*\nerror [^]*\nerror /m);
  expect(text).toContain('1  layer\n2  norm(blocks.1.resid_post)\nblocks.1\n');
  expect(text).toMatch(/\n1: layer = 1\n2: norm\(blocks\.1\.resid_post\) = \d+\.\d+\n$/);
});

it('an edit that fits nothing is refused at once, and the run goes on', async () => {
  const text = await session([
    ...['scale blocks.1.attn.z[head=99] by 2', 'set blocks.1.attn.z[hed=1] = 2', 'set embed[position=50] = 2'],
    ...['skip layer 1', 'skip layer 9', 'goto 99', 'undisplay', 'temperature -2', 'top-p 3', 'info edits', 'c'],
  ]);
  expect(text.match(/^error /gm)).toHaveLength(7);
  expect(text).toContain('temperature -2 is out of range');
  expect(text).toContain('1  skip layer 1\n');
  expect(text).toContain('Layers are numbered from 0 to 2; an earlier edit');
  expect(text).toContain('the generation ends before token 99');
  expect(text).toContain('there is no such display');
  expect(text).toContain('end of step 4');
});
