import {
  findCircuit,
  readerName,
  senderName,
  type Circuit,
  type CircuitPair,
} from '../../analyses/circuit-search/index.js';
import { bug, UsageError } from '../../base/index.js';
import { patchInput, type CircuitInput, type CircuitResult } from '../../protocol/index.js';
import { onEditedModel } from '../edited-model.js';
import { checkExport, graphForms, writeExport } from '../exports/index.js';
import type { Operation, OperationContext } from '../operation.js';
import { circuitExport } from '../patching/circuit-export.js';
import { openSweepFile, requestOf } from '../patching/ledger.node.js';
import { pairsOf } from '../patching/pairs.js';
import { readMetric, sweepModel, usualMetric, type PatchRun } from '../patching/prepared-pair.js';
import { checkSweepBytes } from '../patching/sweep-bytes.js';
import { secondsSince } from '../prepare.js';
import { promptView, tokensOfText } from '../prompts.js';
import { finite } from '../finite.js';

/** The pairs of a request, each with its metric and the model for it. */
const circuitPairs = async (run: PatchRun): Promise<readonly (CircuitPair & { readonly text: string })[]> => {
  const made: (CircuitPair & { readonly text: string })[] = [];
  for (const pair of run.pairs) {
    const { prompt, corrupt } = pair;
    if (!corrupt)
      throw new UsageError('a circuit is searched between two prompts, and there is no corrupted one', {
        code: 'OPTION_INVALID',
        hint: 'Give it with --corrupt "TEXT", or several pairs with --pairs FILE.jsonl.',
      });
    const text = pair.metric ?? (await usualMetric(run, pair));
    const model = await sweepModel(run, prompt);
    made.push({ prompt, corrupt, model, text, metric: await readMetric(model, prompt, { model: run.model, text }) });
  }
  return made;
};

const told = (found: Circuit): Pick<CircuitResult, 'edges' | 'nodes'> => ({
  edges: found.edges.map(({ edge, score, effect }) => ({
    ...{ from: senderName(edge.from), to: readerName(edge.to), score: finite(score) },
    ...(effect === undefined ? {} : { effect: finite(effect) }),
  })),
  nodes: [...new Set(found.edges.map(({ edge }) => senderName(edge.from)))],
});

const notesOf = (found: Circuit): string[] => [
  ...(found.tried < found.edges.length
    ? [`${found.tried} of ${found.edges.length} edges were taken out one by one; --tests raises that`]
    : []),
  ...(found.faithfulness > 1.5
    ? ['these edges alone bring more of the difference than the whole model has: others work against them']
    : []),
  ...(Math.abs(found.complement) > 0.5
    ? ['the other edges alone keep much of the difference too: the circuit is not all that does it']
    : []),
];

const search = async (run: PatchRun, input: CircuitInput, context: OperationContext): Promise<CircuitResult> => {
  const since = performance.now();
  const { model, file } = run;
  const pairs = await circuitPairs(run);
  const [first] = pairs;
  if (!first) throw bug('there are no pairs');
  for (const { prompt } of pairs) {
    const together = model.program.facts.heads * 3 * model.program.facts.layers;
    checkSweepBytes(model, { places: [], prompt, together, maxBytes: input.maxBytes });
  }
  const found = await findCircuit({
    ...{ pairs, target: input.faithfulness, size: input.size, threshold: input.threshold, tests: input.tests },
    encode: (text) => tokensOfText(model, text),
    ledger: file && { known: (key) => file.known.get(key), add: (key, value) => file.add(key, value) },
    onProgress: (done, total, what) => context.progress?.({ done, total, what }),
  });
  const notes = notesOf(found);
  return {
    model: await model.summary(),
    tokens: promptView(first.prompt).tokens,
    ...(pairs.every((p) => p.text === first.text) ? {} : { metrics: pairs.map((p) => p.text) }),
    ...{ metric: first.text, pairs: pairs.length, clean: finite(found.clean), corrupted: finite(found.corrupted) },
    ...told(found),
    totalEdges: found.total,
    ...{ faithfulness: finite(found.faithfulness), complement: finite(found.complement) },
    ...{
      superfluous: found.superfluous,
      tried: found.tried,
      runs: found.runs,
      known: found.known,
      seconds: secondsSince(since),
    },
    ...(notes.length > 0 ? { notes } : {}),
  };
};

/** Results in a file are by edges, whatever was searched for. */
const aims = { faithfulness: undefined, size: undefined, threshold: undefined, tests: undefined };

/** Which parts of a model, and which ways between them, do a task. */
export const circuit: Operation<CircuitInput, CircuitResult> = {
  name: 'circuit',
  help: 'Searches a circuit: the fewest ways between embedding, heads, MLPs and scores that keep what distinguishes a prompt from a corrupted one, when all other ways carry the corrupted one; with how faithful, complete and small it is.',
  async run(input, context) {
    await checkExport(input.out, graphForms);
    const result = await onEditedModel({ ...input, manyForms: true }, context, async ({ model, edits }) => {
      const pairs = await pairsOf(model, input);
      const shared = patchInput.parse({ model: input.model });
      const begun = { model, edits, input: shared, context, pairs, fromEnd: false };
      const file =
        input.resume === undefined
          ? undefined
          : await openSweepFile(input.resume, await requestOf(begun, { ...input, ...aims }));
      const run: PatchRun = { ...begun, file };
      return search(run, input, context).finally(() => file?.flush());
    });
    await writeExport(input.out, circuitExport(result), context);
    return result;
  },
};
