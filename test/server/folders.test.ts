/** Choosing a model from folders: what is below the folder that was given, and nothing else, whatever is asked. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browseFolder } from '../../src/server/folders.js';
import { modelChoices } from '../../src/server/models.js';
import { RecentModels } from '../../src/server/recent.js';

let base = '';
let root = '';
const at = (...names: string[]): string => path.join(root, ...names);

beforeAll(() => {
  base = realpathSync(mkdtempSync(path.join(tmpdir(), 'cutaway-folders-')));
  root = path.join(base, 'models');
  for (const folder of ['gpt', 'deep/er', '.hidden', '<img src=x>']) mkdirSync(at(folder), { recursive: true });
  mkdirSync(path.join(base, 'secret/model'), { recursive: true });
  mkdirSync(path.join(base, 'models-beside'));
  writeFileSync(path.join(base, 'secret/model/config.json'), '{}');
  writeFileSync(at('gpt/config.json'), '{}');
  writeFileSync(at('deep/er/tiny.gguf'), '');
  writeFileSync(at('notes.txt'), '');
  symlinkSync(path.join(base, 'secret'), at('way-out'));
  symlinkSync(at('gpt'), at('also-gpt'));
});
afterAll(() => rmSync(base, { recursive: true }));

describe('a folder', () => {
  it('has its models and its folders, and nothing else of it is told', async () => {
    const view = await browseFolder(root);
    expect(view).toEqual({
      folder: root,
      folders: ['<img src=x>', 'deep'],
      models: [
        { name: 'also-gpt', model: at('gpt') },
        { name: 'gpt', model: at('gpt') },
      ],
      more: false,
    });
  });

  it('is gone into and out of again, up to the one that was given', async () => {
    const inner = await browseFolder(root, at('deep/er'));
    expect(inner.models).toEqual([{ name: 'tiny.gguf', model: at('deep/er/tiny.gguf') }]);
    expect(inner.parent).toBe(at('deep'));
    expect((await browseFolder(root, inner.parent)).parent).toBe(root);
    expect((await browseFolder(root, root)).parent).toBeUndefined();
  });

  it.each([
    ['..'],
    ['../secret'],
    ['deep/../../secret'],
    ['deep/er/../../..'],
    ['../models-beside'],
    ['/'],
    ['/etc'],
    ['way-out'],
    ['way-out/model'],
    ['\0'],
  ])('is not left by %j', async (asked) => {
    await expect(browseFolder(root, asked)).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
  });

  it('that is not there is told of', async () => {
    await expect(browseFolder(root, 'nowhere')).rejects.toMatchObject({ info: { code: 'FILE_UNREADABLE' } });
  });

  it('with very many entries is cut off, and that is told', async () => {
    const many = path.join(base, 'many');
    mkdirSync(many);
    for (let i = 0; i < 510; i++) mkdirSync(path.join(many, `m${i}`));
    const view = await browseFolder(many);
    expect([view.folders.length, view.more]).toEqual([500, true]);
  });
});

describe('recent models', () => {
  it('are remembered from one server to the next, latest first, those that are gone left out', async () => {
    const folder = path.join(base, 'state/cutaway');
    const first = new RecentModels(folder);
    mkdirSync(path.join(base, 'gone'));
    for (const model of [path.join(base, 'gone'), at('gpt'), at('deep/er/tiny.gguf'), at('gpt'), 'zoo:world'])
      await first.add(model);
    rmSync(path.join(base, 'gone'), { recursive: true });
    expect(await new RecentModels(folder).list()).toEqual([at('gpt'), at('deep/er/tiny.gguf')]);
  });

  it('of a damaged file are none, and the next one is kept', async () => {
    const folder = path.join(base, 'damaged');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'recent.json'), '{"models": 3');
    const recent = new RecentModels(folder);
    expect(await recent.list()).toEqual([]);
    await recent.add(at('gpt'));
    expect(await new RecentModels(folder).list()).toEqual([at('gpt')]);
  });

  it('that cannot be kept are no error', async () => {
    const recent = new RecentModels(path.join(root, 'notes.txt/state'));
    await recent.add(at('gpt'));
    expect(await recent.list()).toEqual([at('gpt')]);
  });
});

it('choices are each named once, the latest first, then the folder, then the zoo', async () => {
  const choices = await modelChoices([at('gpt'), 'zoo:world'], root);
  expect(choices.slice(0, 2)).toEqual([
    { model: at('gpt'), from: 'recent' },
    { model: 'zoo:world', from: 'recent' },
  ]);
  expect(choices.filter((c) => c.model === at('gpt'))).toHaveLength(1);
  expect(choices.at(-1)?.from).toBe('zoo');
});
