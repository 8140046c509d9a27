import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutaway, gpt2 } from './command.js';

const site = fc.constantFrom(
  ...['embed', 'blocks.0.attn.z', 'blocks.1.attn.pattern', 'blocks.2.mlp.post', 'blocks.1.resid_post', 'logits'],
  ...['blocks.1#2.resid_post', 'blocks.9.attn.z', 'hook_embed', 'transformer.h.0', 'blocks.0.attn.result', '**', ''],
);
const index = fc.oneof(
  fc.integer({ min: -6, max: 6 }).map(String),
  fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })).map(([a, b]) => `${a}..${b}`),
  fc.constantFrom('(0 1)', '(1 1)', '()', '"t5"', '"t5"#2', '"t5"#last', '"t9"', '1e3', '99999999999999999999', '-'),
);
const axis = fc.constantFrom('head', 'position', 'query', 'key', 'neuron', 'model', 'vocab', 'batch', 'nowhere');
const selector = fc
  .array(fc.tuple(axis, index), { maxLength: 3 })
  .map((parts) => (parts.length === 0 ? '' : `[${parts.map((p) => p.join('=')).join(', ')}]`));
const place = fc.tuple(site, selector).map((parts) => parts.join(''));
const number = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.constantFrom('0', '1', '-1', '1e39', '1e400', 'NaN', 'zero'),
);
const layer = fc.integer({ min: -1, max: 4 }).map(String);
const edit = fc.oneof(
  fc.tuple(place, number).map(([p, n]) => `scale ${p} by ${n}`),
  fc.tuple(place, fc.oneof(number, fc.constantFrom('mean', 'from prompt "t1 t2"'))).map(([p, n]) => `set ${p} = ${n}`),
  fc.tuple(number, place).map(([n, p]) => `add ${n} * direction("t1" - "t2") at ${p}`),
  fc.tuple(fc.constantFrom('skip', 'repeat'), layer).map(([what, l]) => `${what} layer ${l}`),
  fc.tuple(layer, layer).map(([a, b]) => `swap layers ${a} ${b}`),
  fc.tuple(layer, layer).map(([a, b]) => `drop head ${a}.${b}`),
  fc.tuple(selector, number).map(([where, n]) => `weight transformer.wte.weight${where} *= ${n}`),
  fc
    .tuple(
      fc.constantFrom('n_layer', 'n_head', 'n_positions', 'x', 'activation_function', 'layer_norm_epsilon'),
      fc.json(),
    )
    .map(([field, value]) => `config ${field} = ${value}`),
  fc.string({ maxLength: 20 }),
);

/** Answered or refused as the caller's mistake; the engine is not at fault, and no stack is shown. */
const expectManners = async (args: readonly string[]): Promise<void> => {
  const { status, stdout, stderr } = await cutaway(...args);
  expect([0, 2], stderr).toContain(status);
  expect(stderr).not.toMatch(/^\s+at .*\(?.*:\d+:\d+\)?$/m);
  if (status === 0) expect(() => JSON.parse(stdout) as unknown).not.toThrow();
  else expect({ stdout, code: /\n {2}\[[A-Z_]+\]\n$/.test(stderr) }).toEqual({ stdout: '', code: true });
};

const many = { numRuns: 150 };
const prompt = ['--prompt', 't5 t17 t5', '--json'];

describe('any command line', () => {
  it('of edits is answered or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) =>
        expectManners(['run', gpt2, ...prompt, '--max-new-tokens', '2', ...edits.map((text) => `--edit=${text}`)]),
      ),
      many,
    );
  });

  it('of sites is answered or refused', async () => {
    const sites = fc.oneof(
      fc.array(place, { minLength: 1, maxLength: 3 }).map((l) => l.join()),
      fc.string({ maxLength: 20 }),
    );
    await fc.assert(
      fc.asyncProperty(sites, (text) => expectManners(['inspect', gpt2, ...prompt, `--sites=${text}`])),
      many,
    );
  });

  it('of words is answered or refused', async () => {
    const word = fc.oneof(
      fc.constantFrom(gpt2, '--json', '--prompt', 't1', '--ids', '1', '--top', '-1'),
      fc.constantFrom(
        '--sites',
        'logits',
        '--text',
        '--edit',
        '--temperature',
        '0.5',
        '--max-new-tokens',
        '3',
        '--seed',
      ),
      fc.string({ maxLength: 5 }).filter((text) => !/[/\\~]/.test(text)),
    );
    // without a verb the page is served, until it is told to stop
    const verb = fc.constantFrom(
      'run',
      'inspect',
      'list',
      'tokenize',
      'lens',
      'compare',
      'knockout',
      'attribute',
      'attack',
      'tour',
      'components',
      'heads',
      'head',
      'composition',
      'neurons',
    );
    const words = fc.tuple(verb, fc.array(word, { maxLength: 6 })).map(([first, rest]) => [first, ...rest]);
    await fc.assert(
      fc.asyncProperty(words, async (args) => {
        const { status, stderr } = await cutaway(...args);
        expect([0, 2], stderr).toContain(status);
        expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
      }),
      many,
    );
  });
});
