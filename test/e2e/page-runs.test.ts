/** Prompts of all kinds, sampling, the model's picture, two runs beside each other and choosing models, in a real Chromium. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare, compareInput, run, runInput, type CompareResult } from '../../src/index.js';
import { compact } from '../../src/web/look/numbers.js';
import { addressOf, usePage } from './support/page-server.js';

const timeout = 120_000;
/** Waits as long as a slow machine needs. */
const soon = { timeout: 30_000, interval: 100 };
const context = { signal: new AbortController().signal, note: () => undefined };
const prompt = 'Then Nina and Mara went to the market. Mara gave a basket to';
const idsOnly = 'test/golden/models/gpt-neox-default';

let models = '';
beforeAll(() => {
  models = mkdtempSync(path.join(tmpdir(), 'cutaway-models-'));
  mkdirSync(path.join(models, 'chats'));
  cpSync('zoo/models/world', path.join(models, 'chats/talker'), { recursive: true });
  const template =
    '<bos>{% for m in messages %}{{ m.role }} {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant {% endif %}';
  writeFileSync(path.join(models, 'chats/talker/chat_template.jinja'), template);
});
afterAll(() => rmSync(models, { recursive: true }));

const page = usePage(() => ({ folder: models, state: path.join(models, '.state') }));

const visible = (text: string): string => text.replaceAll(' ', '·');
const button = (on: Page, name: string | RegExp) => on.getByRole('button', { name, exact: true });
const comparing = (given: object): Promise<CompareResult> => compare.run(compareInput.parse(given), context);

/** The words of the table of what comes next, in their order. */
const nextWords = (on: Page): Promise<string[]> =>
  on.locator('.next-table:not(.covered) tbody .word button:first-child').allTextContents();

describe('a prompt', () => {
  it('of token ids is read by a model that has no tokenizer, and forks', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ model: idsOnly, ids: [5, 17, 42] }));
    expect(await on.locator('#chips .chip').allTextContents()).toEqual(['[5]', '[17]', '[42]']);
    const { after } = await comparing({ model: idsOnly, ids: [5, 17, 42] });
    await expect.poll(async () => (await nextWords(on))[0], soon).toBe(after.next[0]?.text);
    expect(await button(on, 'text').isDisabled()).toBe(true);
    await on.locator('#prompt-ids').fill('5 17 61');
    await on.getByText('61 is beyond the vocabulary: ids go from 0 to 60.').waitFor();
    await on.locator('#prompt-ids').fill('5, 17');
    await expect.poll(() => on.locator('#chips .chip').count(), soon).toBe(2);
    await on.locator('#chips .chip').first().click();
    const other = on.locator('#alternatives button').first();
    const [, id = ''] = /\[(\d+)\]/.exec((await other.textContent()) ?? '') ?? [];
    await other.click();
    await expect.poll(() => on.locator('#prompt-ids').inputValue(), soon).toBe(`5 ${id}`);
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('changes from text to the ids of its tokens, and back', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }));
    const words = await nextWords(on);
    await button(on, 'token ids').click();
    await on.locator('#prompt-ids').waitFor();
    expect(await on.locator('#prompt-ids').inputValue()).toMatch(/^1( \d+){14}$/);
    await expect.poll(() => nextWords(on), soon).toEqual(words);
    await button(on, 'text').click();
    await on.locator('textarea').first().waitFor();
    expect(await on.locator('textarea').first().inputValue()).toBe(prompt);
    await on.close();
  });

  it('that is a chat is shown as its template writes it', { timeout }, async (test) => {
    const chat = [{ role: 'user', content: 'the box' }];
    const on = await page.open(test, addressOf({ model: path.join(models, 'chats/talker'), chat }));
    await expect.poll(() => on.locator('#rendered').textContent(), soon).toBe('<bos>user the box\nassistant ');
    expect(await on.locator('#rendered .special').allTextContents()).toEqual(['<bos>']);
    await button(on, '+ Add a message').click();
    await on.getByRole('textbox', { name: 'Message 2' }).fill('is here');
    await expect.poll(() => on.locator('#rendered').textContent(), soon).toBe('<bos>user the box\nassistant is here\n');
    const told = await run.run(
      runInput.parse({
        model: path.join(models, 'chats/talker'),
        messages: [...chat, { role: 'assistant', content: 'is here' }],
      }),
      context,
    );
    const count = 'tokens' in told ? told.tokens.length : -1;
    await expect.poll(() => on.locator('#chips .chip').count(), soon).toBe(count);
    await on.close();
  });

  it('of an encoder-decoder has a source and a target', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ model: 'zoo:translate', prompt: 'the dog sees the cat' }));
    const before = await nextWords(on);
    await on.getByRole('textbox', { name: 'What the decoder begins with' }).fill('onkir');
    await expect.poll(() => nextWords(on), soon).not.toEqual(before);
    const { after } = await comparing({ model: 'zoo:translate', prompt: 'the dog sees the cat', target: 'onkir' });
    await expect.poll(async () => (await nextWords(on))[0], soon).toBe(visible(after.next[0]?.text ?? ''));
    await on.close();
  });

  it('that gets a label has a board without words, and each part of a layer is tried', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }));
    await on.goto('about:blank');
    const judge = { model: 'zoo:judge-sentiment', prompt: 'The soup was awful.' };
    const at = JSON.stringify({ after: 'blocks.3', position: 0 });
    await on.goto(page.server().address + addressOf(judge, { tab: 'block', at }));
    const best = async () => (await on.locator('#block tr[aria-label="MLP"] td').allTextContents()).at(-1);
    await expect.poll(best, soon).toBe('negative'); // the session's last model was another
    expect(await on.locator('#legend').textContent()).toContain('change by the layer');
    expect(await on.locator('#board select').first().locator('option').allTextContents()).toEqual([
      'norm of the stream',
      'change by the layer',
      'NaN and infinite',
    ]);
    await on.locator('#board-canvas').focus();
    for (const key of ['ArrowDown', 'ArrowRight']) await on.keyboard.press(key);
    await expect
      .poll(() => on.locator('#what').textContent(), soon)
      .toMatch(/^after L2, at 1 The\s+·\s+‖x‖ [\d.]+\s+·\s+change/);
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('with several masks has a chooser of whose words are listed', { timeout }, async (test) => {
    const text = 'The <mask> is in the <mask> .';
    const on = await page.open(test, addressOf({ model: 'zoo:judge', prompt: text }));
    const { after } = await comparing({ model: 'zoo:judge', prompt: text });
    const [first, second] = after.masks ?? [];
    expect(second).toBeDefined();
    await expect.poll(async () => (await nextWords(on))[0], soon).toBe(visible(first?.next[0]?.text ?? ''));
    await button(on, `at ${second?.position ?? -1}`).click();
    await on.getByRole('heading', { name: `At the mask, position ${second?.position ?? -1}` }).waitFor();
    await expect.poll(async () => (await nextWords(on))[0], soon).toBe(visible(second?.next[0]?.text ?? ''));
    expect(on.url()).toContain('position');
    await on.close();
  });
});

describe('the stages of sampling', () => {
  it('are those of the engine, and change with the settings', { timeout }, async (test) => {
    const edits = ['temperature 0.9', 'top-k 5', 'seed 3'].map((text) => ({ text, on: true }));
    const on = await page.open(test, addressOf({ prompt: 'The box is in the', edits }, { tab: 'sampling' }));
    const given = { prompt: 'The box is in the', maxNewTokens: 1, stages: true, top: 5 };
    const told = await run.run(runInput.parse({ ...given, edits: edits.map(({ text }) => ({ text })) }), context);
    const step = 'steps' in told ? told.steps?.[0] : undefined;
    await on.locator('#stages tbody tr').first().waitFor();
    const headings = await on.locator('#stages th.stage').allTextContents();
    expect(headings.map((h) => /^\D+?(?=\d|$)/.exec(h)?.[0])).toEqual(['logits', 'temperature', 'top-k']);
    expect(headings[2]).toContain('5 left');
    expect(await on.locator('#stages tr[aria-selected=true] td').first().textContent()).toBe(
      `▸${visible(step?.text ?? '')}`,
    );
    const removed = await on.locator('#stages td.stage:last-child').allTextContents();
    expect(removed.filter((text) => text !== '—')).toHaveLength(5);
    await on.getByRole('switch', { name: 'top-k', exact: true }).click();
    await expect.poll(() => on.locator('#stages th.stage').count(), soon).toBe(2);
    expect(await on.locator('.edits .edit-text').count()).toBe(2);
    await on.locator('#undo').click();
    await expect.poll(() => on.locator('#stages th.stage').count(), soon).toBe(3);
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});

describe('the picture of the model', () => {
  it('skips a layer by a click, and the output changes as the edit does', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, { tab: 'model' }));
    await button(on, 'Skip layer 0').click();
    const { after } = await comparing({ prompt, edits: [{ text: 'skip layer 0' }] });
    await on
      .locator('#said-after')
      .getByText(visible(after.next[0]?.text ?? ''), { exact: true })
      .waitFor();
    expect(await on.locator('.edits .edit-text').first().inputValue()).toBe('skip layer 0');
    expect(await on.locator('.block.skipped').count()).toBe(1);
    await button(on, 'Skip layer 0').click();
    await on.locator('.block.skipped').waitFor({ state: 'detached' });
    await on.close();
  });

  it('goes where one clicks: a layer, and a part of it', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, { tab: 'model' }));
    await on.locator('.block-bar').filter({ hasText: 'L2' }).click();
    await on.locator('#what').getByText('after L2').waitFor();
    await on.getByRole('button', { name: /^attn: attention/ }).click();
    await on.getByRole('heading', { name: /^Head 2\./ }).waitFor();
    await on.close();
  });

  it('of an encoder-decoder has two stacks; decoder layers are skipped by their names', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ model: 'zoo:translate', prompt: 'the dog' }, { tab: 'model' }));
    await on.getByRole('list', { name: 'Encoder' }).waitFor();
    expect(await on.getByRole('list', { name: 'Decoder' }).locator('.block.block').count()).toBeGreaterThan(2);
    await button(on, 'Repeat layer decoder.1').click();
    await expect.poll(() => on.locator('.edits .edit-text').first().inputValue(), soon).toBe('repeat layer decoder.1');
    await on.close();
  });

  it('is coloured by what skipping each layer does', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, { tab: 'model' }));
    await on.locator('#picture select').selectOption('skip');
    const { kl, position } = await comparing({ prompt, edits: [{ text: 'skip layer 6' }] });
    const bar = on.locator('.block-bar').filter({ hasText: 'L6' }).locator('.number');
    await expect.poll(() => bar.textContent(), soon).toBe(compact(kl[position]));
    await on.close();
  });
});

describe('how panels are set', () => {
  it('stays when their tabs are closed, and comes back by a link', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, { tab: 'model' }));
    await on.locator('#picture-colour').selectOption('time');
    await on.locator('#picture .block-bar .number').getByText('ms').first().waitFor();
    const timed = await on.locator('#picture .block-bar .number').allTextContents();
    expect(timed.length).toBe(9); // seven layers, and what stands before and behind them
    for (const text of timed) expect(text).toMatch(/^[\d.e−]+ ms$/);
    await on.getByRole('tab', { name: 'Attribution' }).click();
    await on.getByLabel('Method').selectOption('occlusion');
    await on.getByRole('tab', { name: 'Attention' }).click();
    await on.getByLabel('hide specials').check();
    await on.getByRole('button', { name: 'rollout' }).click();
    await on.getByRole('tab', { name: 'Attribution' }).click();
    expect(await on.getByLabel('Method').inputValue()).toBe('occlusion');
    await expect.poll(() => new URL(on.url()).hash, soon).toContain('occlusion');
    const link = on.url();
    await on.goto('about:blank');
    await on.goto(link);
    await expect.poll(() => on.getByLabel('Method').inputValue(), soon).toBe('occlusion');
    await on.getByRole('tab', { name: 'Attention' }).click();
    await on.getByRole('heading', { name: 'Rollout through' }).waitFor();
    expect(await on.getByLabel('hide specials').isChecked()).toBe(true);
    await on.getByRole('tab', { name: 'Model' }).click();
    expect(await on.locator('#picture-colour').inputValue()).toBe('time');
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});

describe('two runs beside each other', () => {
  it('of two prompts: each side, and their difference', { timeout }, async (test) => {
    const other = 'Then Nina and Sara went to the market. Sara gave a basket to';
    const on = await page.open(test, addressOf({ prompt }));
    await on.locator('#compare').click();
    await on.locator('#beside-dialog textarea').fill(other);
    await button(on, 'Show beside').click();
    const told = await comparing({ prompt, versus: [], other: { prompt: other } });
    const kl = told.kl[told.position] ?? 0;
    await on
      .locator('#beside-kl')
      .getByText(`KL(B‖A) ${compact(kl)} nats`)
      .waitFor();
    await on.locator('#side-b').click();
    await expect.poll(() => on.locator('#chips .chip').nth(4).textContent(), soon).toBe('·Sara');
    expect(await on.locator('textarea').first().inputValue()).toBe(other);
    await on.locator('#side-difference').click();
    await on.locator('#legend').getByText('B − A').waitFor();
    await on.locator('#board-canvas').focus();
    await on.keyboard.press('ArrowDown');
    await on
      .locator('#what')
      .getByText(/A [\d.<>]+ %, B [\d.<>]+ %/)
      .waitFor();
    const link = on.url();
    await on.locator('#beside').getByRole('button', { name: 'Close run B' }).click();
    await on.locator('#beside').waitFor({ state: 'detached' });
    await on.goto('about:blank');
    await on.goto(link);
    await on.locator('#side-difference[aria-pressed=true]').waitFor();
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('of two experiments: B keeps its edits while A is changed, and they change places', { timeout }, async (test) => {
    const edits = [{ text: 'skip layer 0', on: true }];
    const on = await page.open(test, addressOf({ prompt, edits }));
    await on.locator('#compare').click();
    await on.locator('#own-prompt').uncheck();
    await on.locator('#own-experiment').check();
    await button(on, 'Show beside').click();
    await on.locator('#side-a').getByText('1 edit').waitFor();
    await on.locator('#side-b').click();
    await expect.poll(() => on.locator('.edits .edit-text').count(), soon).toBe(0);
    await on.locator('#add-edit').fill('drop head 6.2');
    await on.keyboard.press('Enter');
    await on.locator('#side-a').click();
    await expect.poll(() => on.locator('.edits .edit-text').first().inputValue(), soon).toBe('skip layer 0');
    await on.locator('#swap').click();
    await expect.poll(() => on.locator('.edits .edit-text').first().inputValue(), soon).toBe('drop head 6.2');
    await on.close();
  });

  it('of two models: attention and weights, A, B and the difference', { timeout }, async (test) => {
    const [one, other] = ['test/golden/models/llama-grouped', 'test/golden/models/llama-tied'];
    const at = JSON.stringify({ after: 'blocks.1', position: 1, head: 0 });
    const state = { model: one, ids: [5, 17, 42], beside: { model: other } };
    const on = await page.open(test, addressOf(state, { tab: 'beside', at }));
    await expect.poll(() => on.locator('#beside-panel .three figure canvas').count(), soon).toBe(6);
    await on.locator('#side-b').getByText('llama-tied').waitFor();
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('that cannot be compared are told of, and the first is shown', { timeout }, async (test) => {
    const state = { prompt, beside: { model: 'zoo:translate' } };
    const on = await page.open(test, addressOf(state));
    await on.locator('#beside-error').getByText('one model scores 1115 tokens, the other 871').waitFor();
    await on.locator('#chips .chip').nth(14).waitFor();
    await on.close();
  });
});

describe('the menus of edits', () => {
  it('make an edit of what is in focus, with a slider', { timeout }, async (test) => {
    const at = JSON.stringify({ after: 'blocks.6', position: 14, head: 2 });
    const on = await page.open(test, addressOf({ prompt }, { at }));
    await on.locator('[data-subject=head]').selectOption({ label: 'leave it out' });
    await expect.poll(() => on.locator('.edits .edit-text').first().inputValue(), soon).toBe('drop head 6.2');
    await on.locator('[data-subject=model]').selectOption({ label: 'epsilon of the norms (rms_norm_eps)' });
    await expect
      .poll(() => on.locator('.edits .edit-text').nth(1).inputValue(), soon)
      .toBe('config rms_norm_eps = 0.00001');
    const slider = on.getByRole('slider', { name: /rms_norm_eps/ });
    await slider.focus();
    for (let i = 0; i < 5; i++) await on.keyboard.press('PageUp');
    await expect
      .poll(async () => Number((await on.locator('.edits .edit-text').nth(1).inputValue()).split('= ')[1]), soon)
      .toBeGreaterThan(1e-4);
    await on.getByRole('alert').waitFor({ state: 'detached' });
    await on.close();
  });
});

describe('models', () => {
  it('are chosen from folders, and remembered', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }));
    await on.locator('#model').click();
    await on.locator('#folder').getByText('chats/').click();
    await on.locator('#folder').getByText('talker').click();
    await on.locator('#model').getByText('talker').waitFor();
    await on.locator('textarea').first().fill('the box');
    await on.locator('#chips .chip').nth(2).waitFor();
    const file = path.join(models, '.state/recent.json');
    await expect
      .poll(() => (JSON.parse(readFileSync(file, 'utf8')) as { models: string[] }).models[0], soon)
      .toBe(path.join(models, 'chats/talker'));
    await on.close();
    const { host } = new URL(page.server().address);
    expect(page.asked.map((url) => new URL(url).host)).toEqual(page.asked.map(() => host));
    expect(page.wrong).toEqual([]);
  });
});
