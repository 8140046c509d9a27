import { describe, expect, it } from 'vitest';
import type { StepView } from '../../../protocol/index.js';
import { settingOf, withSetting } from './settings.js';
import { stageRows } from './stages.js';

const token = (id: number, probability: number) => ({ id, text: `t${id}`, logit: Math.log(probability), probability });
const step: StepView = {
  ...{ step: 0, id: 2, text: 't2' },
  stages: [
    { name: 'logits', setting: null, left: 9, top: [token(1, 0.5), token(2, 0.3), token(3, 0.1)] },
    { name: 'top-k', setting: 2, left: 2, top: [token(1, 0.6), token(2, 0.4)] },
  ],
};

describe('the stages of sampling', () => {
  it('tell of each token what each rule left of it', () => {
    const rows = stageRows(step, 3);
    expect(rows.map((r) => [r.text, r.isTaken])).toEqual([
      ['t1', false],
      ['t2', true],
      ['t3', false],
    ]);
    expect(rows[2]?.cells).toEqual([{ probability: 0.1, logit: Math.log(0.1) }, 'removed']);
  });

  it('do not call removed what is only too unlikely to be listed', () => {
    const [first] = step.stages;
    const rows = stageRows({ ...step, id: 8, text: 't8', stages: first ? [first] : [] }, 3);
    expect(rows.find((r) => r.id === 8)).toMatchObject({ isTaken: true, cells: [undefined] });
  });
});

describe('the settings of sampling', () => {
  const edits = [
    { text: 'temperature 0.5', on: true },
    { text: 'skip layer 1', on: true },
    { text: 'top-k 5', on: false },
  ];
  it('are the edits that are on', () => {
    expect(settingOf(edits, 'temperature')).toBe(0.5);
    expect(settingOf(edits, 'top-k')).toBeUndefined();
  });
  it('are changed in their place, added at the end, and taken out', () => {
    expect(withSetting(edits, 'temperature', 1)[0]?.text).toBe('temperature 1');
    expect(withSetting(edits, 'seed', 7).at(-1)).toEqual({ text: 'seed 7', on: true });
    expect(withSetting(edits, 'temperature', undefined).map((e) => e.text)).toEqual(['skip layer 1', 'top-k 5']);
  });
});
