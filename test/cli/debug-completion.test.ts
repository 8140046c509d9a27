import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/debug/commands.js';
import { candidates } from '../../src/cli/debug/completion.js';
import type { Target } from '../../src/debugger/index.js';
import { openTarget } from '../../src/service/index.js';
import { asked } from '../targets/targets.js';

let target: Target | undefined;
beforeAll(async () => {
  target = await openTarget(asked());
});
afterAll(() => target?.dispose());

/** The line, completed by each candidate. */
const completed = async (line: string): Promise<readonly string[]> => {
  if (!target) throw new Error('there is no run');
  const { texts, from } = await candidates(line, commands, target);
  return texts.map((text) => line.slice(0, from) + text);
};

describe('what a line of the terminal debugger can go on with', () => {
  it.each([
    ['undi', ['undisplay']],
    ['tb', ['tbreak', 'tb']],
    ['break blocks.1.attn.p', ['break blocks.1.attn.pattern']],
    ['break blocks.1.attn.z la', ['break blocks.1.attn.z layer']],
    ['break 20 if nor', ['break 20 if norm(']],
    ['catch en', ['catch entropy']],
    ['catch lost en', []],
    ['info att', ['info attention']],
    ['help wat', ['help watch']],
    ['watch wei', ['watch weight']],
    ['watch weight model.norm', ['watch weight model.norm.weight']],
    ['x weight:model.norm', ['x weight:model.norm.weight']],
    ['weight model.norm', ['weight model.norm.weight']],
    ['print norm(blocks.2.resid_p', ['print norm(blocks.2.resid_pre', 'print norm(blocks.2.resid_post']],
    ['set blocks.1.attn.z[he', ['set blocks.1.attn.z[head=', 'set blocks.1.attn.z[headDim=']],
    ['skip la', ['skip layer']],
    ['goto ', []],
  ])('%s', async (line, lines) => {
    expect(await completed(line)).toEqual(lines);
  });

  it('are all commands at its beginning, and all sites where a place is named', async () => {
    expect(await completed('')).toHaveLength(commands.flatMap((c) => c.names).length);
    expect(await completed('tbreak ')).toContain('tbreak blocks.0.resid_pre');
  });
});
