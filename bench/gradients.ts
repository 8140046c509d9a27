/**
 * Gradients beside forward passes, on a GPT-2-small-sized model of random weights, alternating with one another in one process.
 *
 *     tsx bench/gradients.ts [--tokens 64] [--repeats 7]
 *
 * Prints medians: of the forward pass, of the gradients (with their own forward pass), and the ratio.
 */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { forward, gradients, runOrder, type GradientsRequest, type Variant } from '../src/engine/index.js';
import { collectLater } from '../src/engine/onnxruntime/index.node.js';
import { parseExpression } from '../src/language/index.js';
import { openModel } from '../src/service/index.js';
import { gpt2SmallConfig, writeRandomModel } from '../test/support/random-model.js';

collectLater(); // as the command and the host do

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const [tokens, repeats] = [option('--tokens', 64), option('--repeats', 7)];

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'models', 'gpt2-small');
mkdirSync(path.dirname(folder), { recursive: true });
if (!existsSync(path.join(folder, 'model.safetensors')))
  writeRandomModel(folder, { ...gpt2SmallConfig }, { dtype: 'F32' });

const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', threads: 2, binding: 'packed' });
const { facts, segments } = model.program;
const variant: Variant = { order: runOrder(model.program, []), edits: new Map(), weights: new Map() };
const ids = Array.from({ length: tokens }, (_, i) => (i * 7919 + 13) % facts.vocab);
const sites = segments.flatMap((s) => s.graph.sites.filter((site) => !site.onRequest).map((site) => site.name));
const streams = sites.filter((name) => name.endsWith('resid_post'));
/** All but what the head makes, which is as large as all the others together. */
const inner = sites.filter((name) => name !== 'logits' && !name.startsWith('ln_final'));
const weights = segments.filter((s) => s.kind === 'block').flatMap((s) => s.graph.params.map((p) => p.name));

const asked = (wanted: Partial<GradientsRequest>): Promise<unknown> =>
  gradients(model, {
    ...{ variant, prompt: { ids, tokens: ids.map((id) => ({ text: String(id) })) } },
    ...{ expression: parseExpression('logit(5) - logit(6)'), sites: [], ...wanted },
  });
const pass = (capture: readonly string[]): Promise<unknown> =>
  forward(model, { variant, ids: [ids], capture: new Set(capture), logits: 'last' });

const cases: Readonly<Record<string, () => Promise<unknown>>> = {
  'forward, every inner site captured': () => pass(inner),
  'gradients by the embedding alone': () => asked({ sites: ['embed'] }),
  'gradients by every resid_post': () => asked({ sites: streams }),
  'gradients by every inner site': () => asked({ sites: inner }),
  'gradients by every inner site, layers computed again': () => asked({ sites: inner, keep: 'layers' }),
  'gradients by every weight of the blocks': () => asked({ sites: [], weights }),
};

/** What a piece of work took: wall clock, and the processor's time, which depends less on what else the machine does. */
interface Cost {
  readonly wallMs: number;
  readonly processorMs: number;
}
const timed = async (work: () => Promise<unknown>): Promise<Cost> => {
  const [from, used] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return { wallMs: performance.now() - from, processorMs: (user + system) / 1000 };
};
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;

process.stdout.write(
  `${tokens} tokens, medians of ${repeats}, each beside forward passes of its own turn: wall clock, then processor\n`,
);
for (const [name, work] of Object.entries(cases)) {
  await work(); // compiles; only a few forms of a segment are kept, so each case has its own turn
  await pass([]);
  const [base, own]: [Cost[], Cost[]] = [[], []];
  for (let i = 0; i < repeats; i++) {
    base.push(await timed(() => pass([])));
    own.push(await timed(work));
  }
  const columns = (['wallMs', 'processorMs'] as const).flatMap((by) => {
    const [forwardMs, ms] = [median(base.map((c) => c[by])), median(own.map((c) => c[by]))];
    return [`${forwardMs.toFixed(0)} ms`, `${ms.toFixed(0)} ms`, (ms / forwardMs).toFixed(2)];
  });
  process.stdout.write(`| ${name} | ${columns.join(' | ')} |\n`);
}
await model.dispose();
