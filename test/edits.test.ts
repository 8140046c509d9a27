import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { forward, generate, prepareExperiment, type Prompt } from '../src/engine/index.js';
import { openWeights } from '../src/formats/index.node.js';
import { parseEdits } from '../src/language/index.js';
import { configOf, contextFor } from '../src/service/experiment.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { promptOfIds } from '../src/service/prompts.js';
import { goldenFolder, goldenVariants, promptOf, worstDifference, type GoldenPrompt } from './support/golden.js';

interface Entry {
  readonly name: string;
  readonly edits: readonly string[];
  readonly promptIds: GoldenPrompt;
  readonly logits: string;
  readonly generated?: readonly number[];
}

/** As in the parity of unedited runs; edits that enlarge logits enlarge rounding with them. */
const tolerance = 2e-5;

/** Edits that name the golden file do so without its folder. */
const placed = (line: string, folder: string): string =>
  line.replaceAll('edits.safetensors', JSON.stringify(path.join(folder, 'edits.safetensors')));

/** Where tokens are made, a decoder begins with its start token alone. */
const promptFor = (model: OpenModel, given: GoldenPrompt, generates: boolean): Prompt => {
  const {
    ids: [own = []],
    source,
  } = promptOf(given);
  return source?.[0] ? promptOfIds(model, source[0], generates ? [] : own.slice(1)) : promptOfIds(model, own);
};

const edited = goldenVariants().filter((variant) => existsSync(path.join(goldenFolder, variant, 'edits.json')));

describe.each(edited)('%s under edits agrees with PyTorch hooks', (variant) => {
  const folder = path.join(goldenFolder, variant);
  const { entries } = JSON.parse(readFileSync(path.join(folder, 'edits.json'), 'utf8')) as {
    entries: readonly Entry[];
  };

  it.each(entries)('$name', async ({ edits: lines, promptIds, logits: key, generated }) => {
    const edits = parseEdits(lines.map((line) => placed(line, folder)).join('\n'));
    const golden = await openWeights(path.join(folder, 'edits.safetensors'));
    const expected = await golden.read(key);
    const configure = configOf.bind(undefined, edits);
    const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', configure });
    const maxNewTokens = generated?.length ?? 0;
    const prompt = promptFor(model, promptIds, generated !== undefined);
    const read = prompt.source ? { source: prompt.source.ids } : {};
    const context = contextFor(model, prompt, maxNewTokens);
    const { variant: changed, notes } = await prepareExperiment(context, edits);
    expect(notes).toEqual([]);
    const rows: number[] = [];
    const ids: number[] = [];
    if (generated) {
      const request = {
        ...{ variant: changed, ids: prompt.ids, ...read, maxNewTokens },
        ...{ sampling: {}, eos: new Set<number>() },
      };
      for await (const { logits, taken } of generate(model, request)) {
        rows.push(...logits);
        if (taken) ids.push(taken.id);
      }
      expect(ids).toEqual(generated);
    } else {
      const capture = new Set<string>();
      rows.push(
        ...((await forward(model, { variant: changed, ...promptOf(promptIds), capture, logits: 'all' })).logits?.data ??
          []),
      );
    }
    expect(worstDifference(rows, expected.data)).toBeLessThan(tolerance);
    await model.dispose();
    await golden.close();
  });
});
