import { describe, expect, it } from 'vitest';
import { UsageError } from '../../base/index.js';
import { parseEdits, parseExpression } from '../../language/index.js';
import { en } from './en.js';
import { errorText, makeTranslator } from './told.js';
import { zh } from './zh.js';

/** What a text is refused with. */
const refusal = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('what operations say, in Chinese', () => {
  it('has the data of the sentence, and what stands in it translated where it is a phrase', () => {
    const error = refusal(() => parseEdits('drop head x'));
    expect(errorText(zh, error)).toBe(
      '第 1 行第 11 列：应为层和头，例如 3.2 或 decoder.cross.3.2，却是 `x`。这种编辑写作 `drop head LAYER.HEAD, such as 3.2 or decoder.cross.3.2`。',
    );
    expect(errorText(en, error)).toContain('expected a layer and a head');
  });

  it('leaves names as they are, though a phrase may be called so', () => {
    const error = new UsageError('no site named the end', { code: 'SITE_UNKNOWN', hint: 'Did you mean prompt?' });
    expect(errorText(zh, error)).toBe('没有名为 the end 的位点。是否指 prompt？');
  });

  it('tells what kind of mistake it is where the sentence is in no list', () => {
    const error = new UsageError('a new sentence', { code: 'MEMORY_LIMIT', hint: 'A new hint.' });
    expect(errorText(zh, error)).toBe('超出内存限制：a new sentence。A new hint.');
  });

  it('is told of expressions with the column', () => {
    expect(
      errorText(
        zh,
        refusal(() => parseExpression('1 +')),
      ),
    ).toContain('第 4 列：应为一个数、位点、函数或 `(`，却是 结尾。');
  });

  it('is told of notes, one that stands in another too', () => {
    const note =
      'the prompt has no mask: write <mask> where a word is to be found; the scores of the last position are taken';
    expect(zh.told.note(note)).toBe('提示里没有掩码：请在要找词的地方写 <mask>；取最后一个位置的分数');
    expect(en.told.note(note)).toBe(note);
    expect(zh.told.note('something else')).toBe('something else');
  });
});

describe('a list of phrases', () => {
  it('is read from its beginning: the special before the general', () => {
    const translate = makeTranslator([
      ['{} (x)', '{0} x'],
      ['{}', 'any {0}'],
    ]);
    expect([translate('a (x)'), translate('b'), makeTranslator([])('b')]).toEqual(['a x', 'any b', undefined]);
  });
});
