/**
 * Compares every golden model with what transformers computed for it, and writes the table of docs/families.md.
 *
 *     npx tsx scripts/families-table.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { canonicalName, forward, runOrder } from '../src/engine/index.js';
import { openModel } from '../src/service/index.js';
import { toFloat32 } from '../src/tensor/index.js';
import { goldenVariants, promptOf, readGolden, worstDifference } from '../test/support/golden.js';

const page = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../docs/families.md');
const engines = ['onnxruntime', 'reference'] as const;

/** The worst absolute difference over all values of all prompts that the golden file holds. */
const worstOf = async (variant: string, engine: (typeof engines)[number]): Promise<number> => {
  const { folder, golden, tensors } = await readGolden(variant);
  const model = await openModel(folder, { device: 'cpu', engine });
  const order = runOrder(model.program, []);
  let worst = 0;
  for (const [prompt, given] of Object.entries(golden.prompts)) {
    const names = tensors.names().filter((name) => name.startsWith(`${prompt}.`));
    const siteOf = (name: string): string => canonicalName(model.program, name.slice(prompt.length + 1));
    const capture = new Set(names.map(siteOf));
    const unchanged = { order, edits: new Map(), weights: new Map() };
    const { sites } = await forward(model, { variant: unchanged, ...promptOf(given), capture, logits: 'all' });
    for (const name of names) {
      const value = sites.get(siteOf(name));
      const expected = await tensors.read(name);
      worst = Math.max(worst, worstDifference(value ? toFloat32(value) : [], expected.data));
    }
  }
  await model.dispose();
  await tensors.close();
  return worst;
};

const rowOf = async (variant: string): Promise<string> => {
  const { folder, tensors } = await readGolden(variant);
  await tensors.close();
  const { family, purpose } = JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8')) as {
    family: string;
    purpose: string;
  };
  const [fast, plain] = [await worstOf(variant, engines[0]), await worstOf(variant, engines[1])];
  return `| ${family} | \`${variant}\` | ${purpose} | ${fast.toExponential(1)} | ${plain.toExponential(1)} |`;
};

const rows: string[] = [];
for (const variant of goldenVariants()) rows.push(await rowOf(variant));
const table = ['| family | variant | what it shows | onnxruntime | reference |', '|--|--|--|--:|--:|', ...rows];
const text = readFileSync(page, 'utf8').replace(
  /(<!-- families-table -->\n)[\s\S]*?(<!-- end -->)/,
  (_, start: string, end: string) => `${start}\n${table.join('\n')}\n\n${end}`,
);
writeFileSync(page, await format(text, { ...(await resolveConfig(page)), parser: 'markdown' }));
