/** Patching, circuits and attacks in a real Chromium: what the panels show is what the operations give. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { attack, attackInput, circuit, circuitInput, patch, patchInput, type PatchResult } from '../../src/index.js';
import { compact, percent } from '../../src/web/look/numbers.js';
import { addressOf, usePage } from './support/page-server.js';

const timeout = 120_000;
/** Waits as long as a slow machine needs. */
const soon = { timeout: 60_000, interval: 100 };
const context = { signal: new AbortController().signal, note: () => undefined };
const prompt = 'Then Nina and Mara went to the market. Mara gave a basket to';
const corrupt = 'Then Nina and Mara went to the market. Nina gave a basket to';
const model = 'zoo:world';

const page = usePage();

const tried = (tab: string, trials: object = {}): Record<string, string> => ({ tab, try: JSON.stringify(trials) });
const visible = (text: string): string => text.replaceAll(' ', '·');
const patching = (given: object): Promise<PatchResult> =>
  patch.run(patchInput.parse({ model, binding: 'apart', prompt, ...given }), context);
/** What everybody looks at, by the address. */
const focusOf = (on: Page): unknown =>
  JSON.parse(new URLSearchParams(new URL(on.url()).hash.slice(1)).get('at') ?? '{}');
const cells = async (on: Page, row: string): Promise<string[]> =>
  (await on.locator(row).locator('td').allTextContents()).map((text) => text.trim());

/** In the page: clicks a button as soon as something is there, since a sweep may be over before we could from here. */
const clickedAt = (sign: string, button: string): string => `new Promise((resolve) => {
  const observer = new MutationObserver(() => {
    const own = document.querySelector(${JSON.stringify(button)});
    if (!own || !document.querySelector(${JSON.stringify(sign)})) return;
    observer.disconnect();
    own.click();
    resolve();
  });
  observer.observe(document.body, { subtree: true, childList: true, attributes: true });
})`;

/** Goes from cell to cell of a grid by the keys, and tells what is said of where it ends. */
const toldAt = async (on: Page, grid: string, keys: readonly string[]): Promise<string> => {
  await on.locator(grid).focus();
  for (const key of keys) await on.keyboard.press(key);
  return (await on.locator('#patch-told').textContent()) ?? '';
};

/** The effects that the list of the strongest shows. */
const strongest = (on: Page): Promise<string[]> =>
  on.locator('#patch-strongest tbody tr td:nth-child(3)').allTextContents();
const largest = (told: PatchResult, count: number): string[] =>
  told.grids
    .flatMap((g) => g.effect.flat())
    .sort((a, b) => Math.abs(b ?? 0) - Math.abs(a ?? 0))
    .slice(0, count)
    .map((x) => compact(x));

describe('patching', () => {
  it('noises a text of the prompt, as ROME does', { timeout }, async (test) => {
    const capital = 'The capital of Velmar is';
    const settings = { method: 'noise', sites: 'resid_pre', metric: 'prob(" Haven")' };
    const on = await page.open(test, addressOf({ prompt: capital }, tried('patching', settings)));
    await on.locator('#patch-subject').waitFor();
    expect(await on.locator('#patch-corrupt').count()).toBe(0);
    expect(await on.locator('#patch-run').isDisabled()).toBe(true);
    await on.locator('#patch-subject').fill('Velmar');
    await on.locator('#patch-subject').blur();
    await on.locator('#patch-run').click();
    await on.locator('#patch-strongest').waitFor();
    const told = await patching({ ...settings, prompt: capital, subject: 'Velmar' });
    expect(await strongest(on)).toEqual(largest(told, 12));
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('follows paths to receivers alone', { timeout }, async (test) => {
    const settings = { method: 'path', sites: 'z', receivers: 'blocks.5.attn.q[head=3]', corrupt };
    const on = await page.open(test, addressOf({ prompt }, tried('patching', settings)));
    await on.locator('#patch-run').click();
    await on.locator('#patch-strongest').waitFor();
    const told = await patching(settings);
    expect(await on.locator('#patch-receivers').inputValue()).toBe(settings.receivers);
    expect(await strongest(on)).toEqual(largest(told, 12));
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('patches the pairs of a file, and goes back to one prompt', { timeout }, async (test) => {
    const line = (a: string, b: string): string =>
      JSON.stringify({ prompt: `The capital of ${a} is`, corrupt: `The capital of ${b} is` });
    const pairsText = [line('Velmar', 'Istran'), line('Istran', 'Velmar'), line('Esmere', 'Velmar')].join('\n');
    const on = await page.open(test, addressOf({ prompt }, tried('patching', { sites: 'resid_pre' })));
    await on.locator('#patch-pairs-file').setInputFiles({
      ...{ name: 'pairs.jsonl', mimeType: 'application/jsonl' },
      buffer: Buffer.from(pairsText),
    });
    await on.locator('.many-pairs[open]').waitFor();
    expect(await on.locator('.many-pairs summary').textContent()).toContain('3 pairs');
    await on.locator('#patch-run').click();
    await on.locator('#patch-strongest').waitFor();
    const told = await patch.run(patchInput.parse({ model, binding: 'apart', pairsText, sites: 'resid_pre' }), context);
    expect(told.pairs).toBe(3);
    expect(await strongest(on)).toEqual(largest(told, 12));
    expect(await on.locator('#patch-summary').textContent()).toContain('means of 3 pairs, each by its own metric');
    expect(await on.locator('#patch-on-board').count()).toBe(0); // the board is of another text
    const said = await toldAt(on, '#patch-grid-resid_pre', ['ArrowDown', 'End']);
    expect(said).toContain('95 %');
    await on.locator('#patch-pairs-clear').click();
    await on.locator('#patch-corrupt').waitFor();
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('shows what the operation gives, and looks where one clicks', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, tried('patching')));
    expect(await on.locator('#patch-run').isDisabled()).toBe(true);
    await on.locator('#patch-corrupt').fill(corrupt);
    await on.locator('.pair-tokens .differs').waitFor();
    expect(await on.locator('.pair-tokens .differs').allTextContents()).toEqual(['·Mara·Nina']);
    await on.locator('#patch-run').click();
    await on.locator('#patch-strongest').waitFor();
    const told = await patching({ corrupt });
    const [stream] = told.grids;
    expect(await on.locator('#patch-summary').textContent()).toContain(
      `${told.metric}: clean ${compact(told.clean)}, corrupted ${compact(told.corrupted)}`,
    );
    const [raw, share] = [stream?.raw[5]?.[14], stream?.effect[5]?.[14]];
    const said = await toldAt(on, '#patch-grid-resid_pre', ['ArrowDown', 'End']);
    expect(said).toBe(`L5, 14 ·to: metric ${compact(raw)}, share ${compact(share)}`);
    await on.keyboard.press('Enter');
    await expect.poll(() => focusOf(on), soon).toEqual({ after: 'blocks.5', position: 14 });
    const best = told.grids.flatMap((g) => g.effect.flat()).sort((a, b) => Math.abs(b ?? 0) - Math.abs(a ?? 0));
    const shown = await on.locator('#patch-strongest tbody tr td:nth-child(3)').allTextContents();
    expect(shown).toEqual(best.slice(0, shown.length).map((x) => compact(x)));
    await on.locator('#patch-on-board').click();
    await expect.poll(() => new URL(on.url()).hash, soon).toContain('by=effect');
    expect(await on.locator('#legend').textContent()).toContain('effect of patching here');
    await on.locator('#board-canvas').focus();
    for (const key of ['ArrowDown', 'ArrowUp']) await on.keyboard.press(key);
    const under = on.locator('#what');
    await expect.poll(() => under.textContent(), soon).toContain(`here ${compact(stream?.effect[6]?.[14])}`);
    await on.locator('#patch-strongest tbody button').filter({ hasText: 'L0, 10' }).first().click();
    await expect.poll(() => focusOf(on), soon).toEqual({ after: 'blocks.0', position: 10 });
    await on.locator('#patch-site-z').click();
    await on.getByText('What is shown is of an earlier run.').waitFor();
    expect(await on.locator('#patch-on-board').count()).toBe(1);
    await on.locator('textarea').first().fill(`${prompt} the`);
    await on.locator('#patch-on-board').waitFor({ state: 'detached' });
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('of a classifier looks at its heads', { timeout }, async (test) => {
    const judge = { model: 'zoo:judge-sentiment', prompt: 'The soup was awful.' };
    const given = { corrupt: 'The soup was good.', sites: 'z' };
    const on = await page.open(test, addressOf({ prompt }));
    await on.goto('about:blank');
    const words = { answer: 'negative', wrong: 'positive' };
    await on.goto(page.server().address + addressOf(judge, tried('patching', { ...given, ...words })));
    await on.locator('#patch-run:not(:disabled)').click();
    await on.locator('#patch-strongest').waitFor();
    const told = await patching({ ...judge, ...given, metric: 'logit(0) - logit(1)' });
    expect(await on.locator('#patch-summary').textContent()).toContain(`${told.metric}: clean ${compact(told.clean)}`);
    await toldAt(on, '#patch-grid-z', ['ArrowRight', 'ArrowDown']);
    await on.keyboard.press('Enter');
    await expect.poll(() => focusOf(on), soon).toMatchObject({ after: 'blocks.2', head: 1 });
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('ablates heads, marks guesses, and comes back from the address', { timeout }, async (test) => {
    const settings = { sites: 'z', method: 'zero', answer: ' Nora', wrong: ' Mara' };
    const on = await page.open(test, addressOf({ prompt }, tried('patching', settings)));
    await on.locator('#patch-run').click();
    await on.locator('#patch-strongest').waitFor();
    const zero = await patching(settings);
    const said = await toldAt(on, '#patch-grid-z', ['ArrowRight', 'ArrowRight']);
    const [raw, change] = [zero.grids[0]?.raw[6]?.[2], zero.grids[0]?.effect[6]?.[2]];
    expect(said).toBe(`L6, head 2: metric ${compact(raw)}, change ${compact(change)}`);
    await on.keyboard.press('Enter');
    await expect.poll(() => focusOf(on), soon).toMatchObject({ after: 'blocks.6', head: 2 });
    await on.locator('#patch-method').selectOption('attribution');
    await on.locator('#patch-corrupt').fill(corrupt);
    await expect.poll(() => new URL(on.url()).hash, soon).toContain('attribution');
    await on.reload();
    await on.locator('#patch-run:not(:disabled)').click();
    await on.locator('#patch-guess').waitFor();
    const guess = await patching({ ...settings, method: 'attribution', corrupt });
    expect(await on.locator('#patching').textContent()).toContain(
      `${guess.guess?.checked} of them were measured too: correlation ${compact(guess.guess?.correlation)}`,
    );
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('pairs prompts of different length by their ends, and can be stopped', { timeout }, async (test) => {
    const longer = prompt.replace('Mara gave', 'The old Nina gave');
    const settings = { corrupt: longer, sites: 'resid_pre', metric: 'logit(" Nora") - logit(" Nina")' };
    const on = await page.open(test, addressOf({ prompt }, tried('patching', settings)));
    await on.locator('#pair-lengths').waitFor();
    await on.locator('#patch-run').click();
    await on.locator('#patch-strongest').waitFor();
    const said = await toldAt(
      on,
      '#patch-grid-resid_pre',
      Array.from({ length: 11 }, () => 'ArrowRight'),
    );
    expect(said).toBe('L6, 11 ·old: no partner in the other prompt');
    await on.locator('#patch-by').selectOption('head');
    await on.locator('#patch-run').click();
    await on.getByRole('alert').waitFor();
    expect(await on.getByRole('alert').textContent()).toContain('has no heads');
    await on.locator('#patch-site-resid_pre').click();
    await on.getByLabel('other sites').fill('z, q, k, v, rot_q, rot_k');
    await on.getByLabel('other sites').blur();
    await on.locator('#patch-by').selectOption('head and position');
    const stopped = on.evaluate(clickedAt('#patching progress[value]', '#patch-cancel'));
    await on.locator('#patch-run').click();
    await stopped;
    await on.locator('#patch-cancel').waitFor({ state: 'detached' });
    expect([await on.locator('#patch-strongest').count(), await on.getByRole('alert').count()]).toEqual([0, 0]);
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});

describe('a circuit', () => {
  it('has the numbers of the operation, and parts that lead to their heads', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, tried('circuit', { corrupt, kept: 0.8 })));
    await on.locator('#circuit-run').click();
    await on.locator('#circuit-graph').waitFor();
    const input = { model, binding: 'apart', prompt, corrupt, faithfulness: 0.8 };
    const told = await circuit.run(circuitInput.parse(input), context);
    expect(await on.locator('#circuit-numbers dd').allTextContents()).toEqual([
      `${told.edges.length} of ${told.totalEdges}`,
      compact(told.faithfulness),
      compact(told.complement),
      `${told.superfluous} of ${told.tried}`,
    ]);
    expect(await on.locator('.circuit-edge').count()).toBe(told.edges.length);
    const [most] = [...told.edges].sort((a, b) => Math.abs(b.effect ?? 0) - Math.abs(a.effect ?? 0));
    expect((await cells(on, '#circuit-edges tbody tr:first-child')).slice(1)).toEqual([
      compact(most?.effect),
      compact(most?.score),
    ]);
    await on.locator('[data-node="head 6.2"]').focus();
    await on.keyboard.press('Enter');
    await expect.poll(() => focusOf(on), soon).toMatchObject({ after: 'blocks.6', head: 2 });
    expect(await on.locator('[data-node="head 6.2"]').getAttribute('aria-pressed')).toBe('true');
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('is searched over pairs that are written as lines', { timeout }, async (test) => {
    const pairsText = [prompt, corrupt]
      .map((p, i) => JSON.stringify({ prompt: p, corrupt: [corrupt, prompt][i] }))
      .join('\n');
    const on = await page.open(test, addressOf({ prompt }, tried('circuit', { pairs: pairsText, kept: 0.5 })));
    expect(await on.locator('#circuit-corrupt').count()).toBe(0);
    await on.locator('#circuit-run').click();
    await on.locator('#circuit-numbers').waitFor();
    const told = await circuit.run(
      circuitInput.parse({ model, binding: 'apart', pairsText, faithfulness: 0.5 }),
      context,
    );
    expect(told.pairs).toBe(2);
    expect(await on.locator('#circuit-numbers').textContent()).toContain(compact(told.faithfulness));
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('is stopped, and refuses prompts of different length before it runs', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }, tried('circuit', { corrupt, kept: 0.99 })));
    await on.locator('#circuit-run').click();
    await on.locator('#circuit-cancel').click();
    await on.locator('#circuit-cancel').waitFor({ state: 'detached' });
    expect(await on.locator('#circuit-graph').count()).toBe(0);
    await on.locator('#circuit-corrupt').fill(`${corrupt} the`);
    await on.locator('#pair-lengths').waitFor();
    expect(await on.locator('#circuit-run').isDisabled()).toBe(true);
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});

describe('an attack', () => {
  const text = 'The soup was awful.';
  const judge = 'zoo:judge-sentiment';

  it('flips tokens of a classifier, and its prompt can be taken', { timeout }, async (test) => {
    const on = await page.open(test, addressOf({ prompt }));
    await on.goto('about:blank');
    await on.goto(page.server().address + addressOf({ model: judge, prompt: text }, tried('attack')));
    await on.locator('#attack-run').click();
    await on.locator('#attack-ends').waitFor();
    const told = await attack.run(attackInput.parse({ model: judge, binding: 'apart', prompt: text }), context);
    const rows = await on.locator('#attack-steps tbody tr').count();
    expect([rows, told.succeeded]).toEqual([told.flips.length + 1, true]);
    const last = told.flips.at(-1);
    expect((await cells(on, '#attack-steps tbody tr:last-child')).slice(2)).toEqual([
      visible(last?.prediction.text ?? ''),
      percent(last?.prediction.probability),
    ]);
    expect((await cells(on, '#attack-ends tbody tr:last-child')).slice(0, 3)).toEqual([
      visible(told.after.prediction.text),
      percent(told.after.prediction.probability),
      compact(told.after.loss),
    ]);
    await on.locator('#attack-use').click();
    const chips = (): Promise<string[]> => on.locator('#chips .chip').allTextContents();
    await expect.poll(chips, soon).toEqual(told.final.map((token) => visible(token.text)));
    await on.close();
    expect(page.wrong).toEqual([]);
  });

  it('takes away what a next word does not need', { timeout }, async (test) => {
    const settings = { attack: 'input-reduction' };
    const on = await page.open(test, addressOf({ prompt }, tried('attack', settings)));
    await on.locator('#attack-run').click();
    await on.locator('#attack-ends').waitFor();
    const told = await attack.run(attackInput.parse({ model, binding: 'apart', prompt, ...settings }), context);
    const gone = await on.locator('#attacked-text .gone').allTextContents();
    expect(gone).toEqual(told.tokens.filter((_, i) => !told.kept.includes(i)).map((t) => visible(t.text)));
    expect(gone.length).toBeGreaterThan(0);
    const order = await on.locator('#attack-steps del').allTextContents();
    expect(order).toEqual(told.removed.map(({ token }) => visible(token.text)));
    await on.locator('#attack-use').click();
    const chips = (): Promise<string[]> => on.locator('#chips .chip').allTextContents();
    await expect.poll(chips, soon).toEqual(told.final.map((token) => visible(token.text)));
    await on.close();
    expect(page.wrong).toEqual([]);
  });
});
