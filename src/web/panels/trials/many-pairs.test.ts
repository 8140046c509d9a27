import { describe, expect, it } from 'vitest';
import type { Run } from '../../state/request.js';
import { linesOf, manyPairs } from './many-pairs.js';

const run = (prompt: string): Run => ({ input: { model: 'm', prompt }, edits: [], sampling: [] });
const pairs = '{"prompt": "a", "corrupt": "b"}\n\n{"prompt": "c", "corrupt": "d"}\n';

describe('many prompts', () => {
  it('take the place of the one that is looked at', () => {
    expect(manyPairs(run('Once'), { pairs, corrupt: 'Twice' })).toEqual({ pairsText: pairs });
    expect(JSON.stringify({ ...run('Once').input, ...manyPairs(run('Once'), { pairs }) })).not.toContain('Once');
  });

  it('fill it where it is a template', () => {
    const given = manyPairs(run('The capital of {name} is'), { pairs, corrupt: 'The capital of {other} is' });
    expect(given).toMatchObject({ prompt: 'The capital of {name} is', corrupt: 'The capital of {other} is' });
  });

  it('are none where no line says anything', () => {
    expect(manyPairs(run('Once'), { pairs: ' \n' })).toBeUndefined();
    expect(manyPairs(run('Once'), {})).toBeUndefined();
    expect(linesOf(pairs)).toHaveLength(2);
  });
});
