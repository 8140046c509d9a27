import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrowserOptions } from '../../src/engine/onnxruntime/index.browser.js';
import { makeOnnxruntime } from '../../src/engine/onnxruntime/index.node.js';
import { openFolder } from '../../src/formats/index.node.js';
import { goldenFolder, worstDifference } from '../support/golden.js';
import { fencesOf } from '../support/markdown.js';
import { root } from '../support/root.js';
import { exercise, type Exercise, type Outcome } from './page/exercise.js';
import type { PageAnswer, PageRequest } from './page/page.js';
import { browserDoors, bundleDoors, bundlePage, bundleText, type Bundle } from './support/bundle.js';
import { compare, prepare, valuesOf, type Prepared } from './support/prepare.js';
import { limitMs, Visits } from './support/visit.js';

/** As in the parity on Node: WebAssembly has kernels of its own, with another order of summation. */
const tolerance = 2e-5;
/** A GPU's kernels: TransformerLens's guide calls 1e-4 the limit of float32. */
const gpuTolerance = 1e-4;
/** The code for a browser that users are shown. */
const librarySnippet = fencesOf(readFileSync(path.join(root, 'docs/library.md'), 'utf8'), 'js').join('\n');
const timeout = limitMs + 10_000;

let page: Bundle;
let everything: Bundle;
let visits: Visits;

beforeAll(async () => {
  [page, everything] = [await bundlePage(), await bundleDoors(browserDoors())];
  const library = await bundleText(librarySnippet);
  visits = await Visits.open({
    ...{ '/page.js': page.code, '/everything.js': everything.code },
    '/library.js': library.code,
  });
});
afterAll(() => visits.close());

const request = (model: string, asked: Exercise, options: BrowserOptions, build = 'wasm'): PageRequest => ({
  ...{ build, model, options },
  exercise: asked,
});

const onNode = async (variant: string, asked: Exercise): Promise<Outcome> => {
  const { config, weights } = await openFolder(path.join(goldenFolder, variant));
  const backend = await makeOnnxruntime({ device: 'cpu', binding: 'packed' });
  const outcome = await exercise({ config, weights, backend }, asked);
  await backend.dispose();
  await weights.close();
  return outcome;
};

const outcomeOf = (said: PageAnswer | undefined): { readonly outcome: Outcome; readonly sessionsMade: number } => {
  if (said && 'outcome' in said) return said;
  throw new Error(said ? `${said.error.code}: ${said.error.message} (${said.error.cause})` : 'no answer');
};

describe('what a browser gets', () => {
  it('is made of the sources and ONNX’s protocol buffers alone, Node and onnxruntime are not in it', () => {
    const foreign = page.inputs.filter((file) => !/^(src|test\/e2e\/page)\//.test(file));
    expect(foreign.filter((file) => !file.includes('node_modules/@bufbuild/protobuf/'))).toEqual([]);
    expect(page.inputs.filter((file) => file.endsWith('.node.ts'))).toEqual([]);
    expect(page.inputs).toContain('src/engine/run/forward.ts');
    expect(page.imports).toEqual([]);
  });

  it('can be every folder of rows 0 to 6', () => {
    expect(browserDoors()).toEqual(expect.arrayContaining(['src/base/index.ts', 'src/engine/reference/index.ts']));
    expect(everything.inputs).toEqual(expect.arrayContaining([...browserDoors()]));
    expect(everything.inputs.filter((file) => file.endsWith('.node.ts'))).toEqual([]);
    expect(everything.imports).toEqual([]);
  });

  it('cannot be what needs Node: the bundler refuses', async () => {
    await expect(bundleText("export * from './src/formats/index.node.js'")).rejects.toThrow('Could not resolve "node:');
  });

  it('loads in Chromium, all of it, where Node’s globals are not', { timeout }, async (context) => {
    const script = "import('/everything.js').then((all) => [Object.keys(all).length, typeof process, typeof Buffer])";
    const { said } = await visits.visit(context, visits.isolated, (tab) => tab.evaluate(script));
    expect(said).toEqual([browserDoors().length, 'undefined', 'undefined']);
  });

  it('does what docs/library.md says, bundled with onnxruntime-web', { timeout }, async (context) => {
    const { said } = await visits.visit(context, visits.isolated, async (tab) => {
      const told: string[] = [];
      tab.on('console', (message) => told.push(message.text()));
      await tab.evaluate("import('/library.js')");
      return told;
    });
    expect(said).toEqual([/console\.log.*\/\/ (.*)/.exec(librarySnippet)?.[1]]);
  });
});

describe.each(['gpt2-default', 'llama-grouped'])('%s on onnxruntime-web in Chromium', (variant) => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepare(variant, true);
  });

  it('gives the numbers of transformers: sites, tokens, edits', { timeout }, async (context) => {
    const { asked, expected, greedy } = prepared;
    const { origin, log } = visits.plain;
    const { said, urls, workers } = await visits.ask(
      context,
      [request(variant, asked, { device: 'cpu' })],
      visits.plain,
    );
    const { outcome, sessionsMade } = outcomeOf(said[0]);
    expect(outcome.backend).toBe('onnxruntime-web cpu');
    expect(sessionsMade).toBeGreaterThan(asked.edited.length);
    expect(log).toContain('200 /ort/ort-wasm-simd-threaded.wasm');
    expect(urls.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('blob:'))).toEqual([]);
    expect(workers).toBe(0);
    expect(compare(valuesOf(outcome), expected, tolerance)).toBeGreaterThan(30_000);
    expect([outcome.greedy.ids, outcome.greedyUncached.ids]).toEqual([greedy, greedy]);
  });

  it('gives the numbers of onnxruntime-node, with threads too', { timeout }, async (context) => {
    const { asked } = prepared;
    const node = await onNode(variant, asked);
    const { said, workers } = await visits.ask(context, [request(variant, asked, { device: 'cpu', threads: 2 })]);
    const { outcome } = outcomeOf(said[0]);
    expect([node.backend, outcome.backend]).toEqual(['onnxruntime cpu', 'onnxruntime-web cpu']);
    expect(workers).toBeGreaterThan(0);
    expect(compare(valuesOf(outcome), valuesOf(node), tolerance)).toBeGreaterThan(30_000);
    expect(outcome.greedy.ids).toEqual(node.greedy.ids);
  });

  it('undoes edits to the bit', { timeout }, async (context) => {
    const { edited } = prepared.asked;
    const asked = { prompts: {}, sites: {}, greedy: { ids: [1], newTokens: 0 }, edited };
    const { said } = await visits.ask(context, [request(variant, asked, { device: 'cpu' })]);
    const { outcome } = outcomeOf(said[0]);
    const undone = Object.values(outcome.undone);
    expect(undone.length).toBeGreaterThan(20);
    for (const numbers of undone) expect(numbers).toEqual(undone[0]);
    const changed = Object.values(outcome.edited).filter((n) => worstDifference(n.values, undone[0]?.values ?? []) > 0);
    expect(changed.length).toBe(undone.length);
  });
});

describe('onnxruntime-web', () => {
  it.for(['packed', 'apart', 'inputs'] as const)(
    'keeps two models of a page apart and widens bfloat16, weights %s',
    { timeout },
    async (binding, context) => {
      const variants = ['llama-bfloat16', 'gpt2-default'];
      const prepared = await Promise.all(variants.map((variant) => prepare(variant, false)));
      const options = { device: 'cpu', binding } as const;
      const requests = prepared.map(({ asked }, i) => request(variants[i] ?? '', asked, options));
      const { said } = await visits.ask(context, requests);
      for (const [i, { expected, greedy }] of prepared.entries()) {
        const { outcome } = outcomeOf(said[i]);
        expect(compare(valuesOf(outcome), expected, tolerance)).toBeGreaterThan(5_000);
        expect(outcome.greedy.ids).toEqual(greedy);
      }
    },
  );

  it('computes on WebGPU where the browser has it', { timeout }, async (context) => {
    const { asked, expected, greedy } = await prepare('llama-grouped', true);
    const few = {
      ...{ prompts: { long: asked.prompts['long'] ?? [] }, sites: asked.sites },
      ...{ greedy: { ...asked.greedy, newTokens: 3 }, edited: asked.edited.slice(0, 1) },
    };
    const { said, urls } = await visits.ask(context, [request('llama-grouped', few, { device: 'webgpu' }, 'webgpu')]);
    const { outcome } = outcomeOf(said[0]);
    expect(outcome.backend).toBe('onnxruntime-web webgpu');
    expect(urls.filter((url) => url.endsWith('.wasm')).map((url) => path.basename(url))).toEqual([
      'ort-wasm-simd-threaded.asyncify.wasm',
    ]);
    const values = new Map([...valuesOf(outcome)].filter(([name]) => !name.startsWith('greedy')));
    const computed = new Map([...expected].filter(([name]) => values.has(name)));
    expect(compare(values, computed, gpuTolerance)).toBeGreaterThan(5_000);
    expect(outcome.greedy.ids).toEqual(greedy.slice(0, 3));
  });

  const nothing: Exercise = { prompts: {}, sites: {}, greedy: { ids: [1], newTokens: 0 }, edited: [] };
  const refusals: readonly (readonly [string, string, BrowserOptions])[] = [
    ['WebGPU of a build without it', 'DEVICE_UNAVAILABLE', { device: 'webgpu' }],
    ['WebAssembly that is not where it should be', 'DEVICE_UNAVAILABLE', { device: 'cpu', assets: '/nowhere/' }],
    ['threads in a page that is not isolated', 'OPTION_INVALID', { device: 'cpu', threads: 2 }],
    ['no threads', 'OPTION_INVALID', { device: 'cpu', threads: 0 }],
    ['a device that no browser has', 'OPTION_INVALID', { device: 'cuda' as 'cpu' }],
  ];
  it.for(refusals)('refuses %s with %s', { timeout }, async ([, code, options], context) => {
    const { said } = await visits.ask(context, [request('gpt2-default', nothing, options)], visits.plain);
    expect(said).toMatchObject([{ error: { code } }]);
  });
});
