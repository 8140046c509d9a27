import { describe, expect, it } from 'vitest';
import { cutaway, gpt2, json, llama, refused } from './command.js';

const two = ['--ids', '5,9,20,31', '--corrupt-ids', '5,9,21,31'];

describe('options that nothing reads', () => {
  it.each([
    [['attribute', gpt2, '--ids', '5,9,20', '--method', 'occlusion', '--rule', 'lit'], '--rule is about integrated'],
    [['attribute', gpt2, '--ids', '5,9,20', '--kernel-width', '3'], '--kernel-width is about lime'],
    [['patch', gpt2, '--ids', '5,9,20', '--method', 'zero', '--subject', '1'], '--subject is about noise'],
    [['patch', gpt2, ...two, '--direction', 'noise', '--checked', '3'], '--checked is about attribution'],
  ])('%j: a note says so', async (args, note) => {
    const { status, stderr } = await cutaway(...args);
    expect(status).toBe(0);
    expect(stderr).toContain(note);
  });

  it('those that are read need none', async () => {
    const own = await cutaway(
      'patch',
      gpt2,
      '--ids',
      '5,9,20',
      '--method',
      'noise',
      '--subject',
      '1',
      '--samples',
      '2',
    );
    expect(own.stderr).not.toContain('is about');
  });

  it.each(['lens', 'attribute', 'attack', 'components', 'head'])(
    '%s reads one prompt: --prompts is unknown',
    async (verb) => {
      const head = verb === 'head' ? ['--head', '0.0'] : [];
      expect(await refused('OPTION_INVALID', verb, gpt2, ...head, '--prompts', 'x.jsonl')).toContain('--prompts');
    },
  );
});

describe('numbers out of range', () => {
  it.each([
    [['attribute', gpt2, '--ids', '5,9', '--steps', '0'], '--steps should be at least 1'],
    [['attribute', gpt2, '--ids', '5,9', '--method', 'smoothgrad', '--stdev', '-1'], '--stdev should be more than 0'],
    [['circuit', gpt2, ...two, '--faithfulness', '2'], '--faithfulness should be at most 1'],
    [['patch', gpt2, ...two, '--by', 'nonsense'], '--by should be one of position, head, neuron, none'],
    [['patch', gpt2, ...two, '--layers', '2..1'], '--layers should be whole numbers or ranges'],
    [['attribute', gpt2, '--ids', '5,9,20', '--spans', '2-1'], 'the range 2-1 ends before it begins'],
  ])('%j', async (args, told) => {
    expect(await refused('OPTION_INVALID', ...args)).toContain(told);
  });

  it('layers and positions that are not there: which there are', async () => {
    const told = await refused('OPTION_INVALID', 'patch', gpt2, ...two, '--layers', '40');
    expect(told).toContain('--layers (0 to 2) or --positions (0 to 3)');
  });

  it('layers as numbers and ranges', async () => {
    const asked = ['patch', gpt2, ...two, '--sites', 'attn_out'];
    const result = await json<{ grids: readonly { layers: readonly string[] }[] }>(...asked, '--layers', '0,1..2');
    expect(result.grids[0]?.layers).toEqual(['blocks.0', 'blocks.1', 'blocks.2']);
  });
});

describe('the lens', () => {
  it('counts positions from the end too', async () => {
    const at = (position: string) => json('lens', llama, '--ids', '5,9,20', '--position', position);
    expect(await at('-1')).toEqual(await at('2'));
    const told = await refused('OPTION_INVALID', 'lens', llama, '--ids', '5,9,20', '--position', '-4');
    expect(told).toContain('from -3 to -1 from the end');
  });
});

describe('a method that does not fit the model', () => {
  it.each([
    [['components', 'zoo:judge', '--prompt', 'The soup was <mask>.'], 'stands between'],
    [['components', 'zoo:judge-sentiment', '--prompt', 'The soup was awful.'], 'scores labels'],
    [['lens', 'zoo:judge-sentiment', '--prompt', 'The soup was awful.'], 'scores labels'],
    [['head', 'zoo:judge', '--head', '0.0', '--prompt', 'The soup was <mask>.'], 'norms stand in the stream'],
  ])('%j', async (args, told) => {
    expect(await refused('METHOD_UNFIT', ...args)).toContain(told);
  });
});

describe('a circuit', () => {
  it('is not searched where the metric does not tell the prompts apart', async () => {
    const same = ['circuit', gpt2, '--ids', '5,9,20', '--corrupt-ids', '5,9,20', '--metric', 'logit(3)'];
    expect(await refused('OPTION_INVALID', ...same)).toContain('there is nothing to keep');
  });
});

describe('in a terminal', () => {
  it('patching names its columns in words, marks what is below 0 and says what shades mean', async () => {
    const { stdout } = await cutaway(
      'patch',
      llama,
      ...two,
      '--metric',
      'logit(3) - logit(4)',
      '--sites',
      'z,attn_out',
    );
    expect(stdout).toMatch(/ {2}head \d {2}/);
    expect(stdout).toMatch(/ {2}\d t\d+ {2}/);
    expect(stdout).toMatch(/[░▒▓█]−/);
    expect(stdout).toContain('share: 0 is the corrupted run, 1 the clean one; ██ is ');
  });

  it('an attack that has nothing to do says why', async () => {
    const attack = ['attack', 'zoo:judge-sentiment', '--prompt'];
    expect((await cutaway(...attack, 'The soup was awful.', '--toward', 'negative')).stdout).toContain(
      'the wanted one',
    );
    expect((await cutaway(...attack, '')).stdout).toContain('no token that may be swapped');
  });

  it('a head that cannot look at a token says so, and no number stands for it', async () => {
    const asked = ['head', llama, '--head', '1.0', '--ids', '5,9,20', '--query', '0', '--key', '2', '--no-pairs'];
    const { stdout } = await cutaway(...asked);
    expect(stdout).toContain('masked: the head cannot look there');
    expect(stdout).not.toContain('e+38');
  });
});
