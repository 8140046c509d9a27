import { describe, expect, it } from 'vitest';
import { UsageError } from '../base/index.js';
import { parseEdit, parseEdits, parseExperiment, toExperiment } from './index.js';

const errorOf = (act: () => unknown): UsageError => {
  try {
    act();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('an edit that cannot be read', () => {
  it.each([
    ['', 'column 1: expected an edit, found the end'],
    ['# only a comment', 'column 1: expected an edit, found the end'],
    ['scal x by 3', 'column 1: expected an edit such as `scale`'],
    ['scale x', 'column 8: expected `by`, found the end'],
    ['scale x bye 3', 'column 9: expected `by`, found `bye`'],
    ['scale x by 1.2.3', 'column 12: expected a number, found `1.2.3`'],
    ['scale x by 0x10', 'column 12: expected a number'],
    ['scale x by Infinity', 'column 12: expected a number'],
    ['scale x by 1e999', 'column 12: expected a number that is finite'],
    ['scale x[head=] by 3', 'column 14: expected an integer'],
    ['scale x by 3 at step -1', "column 22: expected a step's number, from 0"],
    ['scale x by 3 in steps 5..2', 'column 26: expected a step from 5 on'],
    ['scale x by 3 4', 'column 14: expected the end of the line, found `4`'],
    ['set x 3', 'column 7: expected `=`, found `3`'],
    ['set x = from prompt hi', 'column 21: expected a prompt in quotes'],
    ['set x = "zero"', 'column 9: expected a number, `zero`'],
    ['add 3 direction("a" - "b") at x', 'column 7: expected `*`'],
    ['add 3 * diversion("a" - "b") at x', 'column 9: expected `direction` or `vector`'],
    ['add 3 * direction("a" + "b") at x', 'column 23: expected `-`'],
    ['weight w == 3', 'column 11: expected a number'],
    ['weight w = 2 * outer(vector(a, "b"), vector(c, "d"))', 'column 14: expected the end'],
    ['swap layers 3', 'column 14: expected a layer'],
    ['swap layers 3 decoder.5', 'column 15: expected a layer of the same stack'],
    ['skip layer middle.3', 'column 12: expected a layer'],
    ['drop head 3', 'column 11: expected a layer and a head'],
    ['drop head encoder.cross.3.2', 'column 11: expected a layer and a head'],
    ['config x = {"a": [1, }', 'column 22: expected a value of JSON'],
    [`config x = ${'['.repeat(40)}`, 'column 44: expected a value that is at most 32 deep'],
    ['config x = [gelu]', 'column 13: expected a value of JSON, found `gelu`'],
    ['top-k 3.5', 'column 8: expected the end of the line'],
    ['seed -1', 'column 6: expected an integer, from 0'],
    ['prompt "a', 'column 8: expected a closing double quote'],
  ])('%s: %s', (text, message) => {
    const error = errorOf(() => parseEdit(text));
    expect(error.info.code).toBe('EDIT_SYNTAX');
    expect(error.message).toContain(message);
  });
  it('shows how an edit of this kind is written', () => {
    expect(errorOf(() => parseEdit('scale x')).info.hint).toContain('`scale SITE[selector] by NUMBER`');
  });
  it('in a file is told with its line', () => {
    const error = errorOf(() => parseEdits('seed 7\n\n  seed x\n'));
    expect(error.message).toContain('line 3, column 8: expected an integer');
    expect(error.info.details).toEqual({ line: 3, column: 8, expected: 'an integer' });
  });
  it('is refused unread where it is too long', () => {
    expect(errorOf(() => parseEdits('#'.repeat(1_000_001))).info.code).toBe('EDIT_INVALID');
    expect(errorOf(() => parseExperiment(`{${' '.repeat(1_000_000)}}`)).info.code).toBe('EDIT_INVALID');
  });
});

describe('an experiment that is not one', () => {
  const withEdit = (edit: unknown) => ({ experiment: 1, edits: [{ edit: 'seed', value: 1 }, edit] });
  it.each([
    [[], 'the experiment is not an object'],
    [null, 'the experiment is not an object'],
    [{}, 'experiment is not 1'],
    [{ experiment: 2, edits: [] }, 'experiment is not 1'],
    [{ experiment: 1 }, 'edits is not a list'],
    [{ experiment: 1, edits: [], nam: 'x' }, 'nam is not a field here: there are experiment, name, model, edits'],
    [{ experiment: 1, edits: [], model: { fingerprint: 3 } }, 'model.fingerprint is not a text'],
    [withEdit(3), 'edits[1] is not an object'],
    [withEdit({}), 'edits[1].edit is not a kind of edit'],
    [withEdit({ edit: 'toString' }), 'edits[1].edit is not a kind of edit'],
    [withEdit({ edit: 'scale', site: 'a b', by: 0 }), 'edits[1].site is not'],
    [withEdit({ edit: 'scale', site: 'a', by: '0' }), 'edits[1].by is not a finite number'],
    [withEdit({ edit: 'scale', site: 'a' }), 'edits[1].by is not a finite number'],
    [withEdit({ edit: 'scale', site: 'a', by: Infinity }), 'edits[1].by is not a finite number'],
    [withEdit({ edit: 'scale', site: 'a', by: 0, where: { head: 1.5 } }), 'edits[1].where.head is not an integer'],
    [withEdit({ edit: 'scale', site: 'a', by: 0, where: { head: [] } }), 'edits[1].where.head is not'],
    [
      withEdit({ edit: 'scale', site: 'a', by: 0, where: { head: [1, 'x'] } }),
      'edits[1].where.head[1] is not an integer',
    ],
    [withEdit({ edit: 'scale', site: 'a', by: 0, where: { 'a b': 1 } }), "edits[1].where.a b is not an axis's name"],
    [
      withEdit({ edit: 'scale', site: 'a', by: 0, where: { key: { token: 'x', occurrence: 0 } } }),
      'edits[1].where.key.occurrence is not an integer from 1',
    ],
    [
      withEdit({ edit: 'scale', site: 'a', by: 0, steps: { from: 3, to: 2 } }),
      'edits[1].steps.to is not a step from 3 on',
    ],
    [withEdit({ edit: 'set', site: 'a', to: 'one' }), 'edits[1].to is not "zero" or "mean"'],
    [withEdit({ edit: 'set', site: 'a', to: { recording: 'f', x: 1 } }), 'edits[1].to.x is not a field'],
    [withEdit({ edit: 'swap layers', layers: [1] }), 'edits[1].layers is not a list of two'],
    [
      withEdit({
        edit: 'weight',
        name: 'w',
        op: '=',
        value: { by: 1, out: { file: 'f', name: 'n' }, in: { file: 'f', name: 'n' } },
      }),
      'edits[1].value is not a number',
    ],
    [withEdit({ edit: 'drop head', layer: 1, head: 1, attention: 'cross' }), 'edits[1].attention'],
    [withEdit({ edit: 'replace activation', with: 'a b' }), 'edits[1].with is not'],
  ])('%j: %s', (data, message) => {
    const error = errorOf(() => toExperiment(data));
    expect(error.info.code).toBe('EDIT_INVALID');
    expect(error.message).toContain(message);
  });
  it('is bounded in depth', () => {
    let value: unknown = 0;
    for (let i = 0; i < 5000; i++) value = [value];
    expect(errorOf(() => toExperiment(withEdit({ edit: 'config', field: 'f', value }))).message).toContain(
      'at most 32 deep',
    );
  });
  it.each([
    ['{\n  "experiment": 1,\n  x\n}', "line 3, column 3: expected a field's name in quotes, or `}`, found `x`"],
    ['{x}', "line 1, column 2: expected a field's name"],
    ['{"edits": [\n', 'line 2, column 1: expected a value of JSON, found the end'],
    ["{'edits': []}", 'line 1, column 1: expected JSON, with double quotes'],
    ['{} {}', 'line 1, column 4: expected the end'],
    [`{"a": ${'['.repeat(100_000)}`, 'line 1, column 38: expected a value that is at most 32 deep'],
  ])('as text that is no JSON is told with line and column: %s', (text, message) => {
    const error = errorOf(() => parseExperiment(text));
    expect(error.info.code).toBe('EDIT_SYNTAX');
    expect(error.message).toContain(message);
  });
});
