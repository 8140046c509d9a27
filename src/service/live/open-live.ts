import { UsageError } from '../../base/index.js';
import { Compilations, KeptRuns, type Backend } from '../../engine/index.js';
import type { Weights } from '../../formats/index.node.js';
import { processAddress } from '../../protocol/index.js';
import { LiveTarget } from '../debugging/live/index.js';
import type { OpenModel } from '../open-model.js';
import { LiveRuns } from './live-runs.js';
import { liveTokenizer } from './live-tokenizer.js';

/** Is it `HOST:PORT`? */
export const isLive = (name: string): boolean => processAddress(name) !== undefined;

/** Attaches to a process. @throws UsageError AGENT_REFUSED; EngineError AGENT_UNREACHABLE, AGENT_LOST */
export const attachTo = (name: string, token: string | undefined): Promise<LiveTarget> => {
  const { host, port } = processAddress(name) ?? { host: '', port: 0 };
  return LiveTarget.open({ host, port, token: token ?? '', ranks: 1 });
};

const usable = '`lens`, `attribute` by gradients or by leaving tokens out, and `patch` work on a live process';

/** Of what a process has not: weights beside the model, and a computation of ours. */
export const notLive = (what: string): UsageError =>
  new UsageError(`${what} needs Cutaway's own computation of the model, which a live process is not`, {
    code: 'METHOD_UNFIT',
    hint: `${usable}; for the rest give the model's folder.`,
  });

const noWeights = (): Weights => {
  const refuse = () => Promise.reject(notLive('this'));
  return {
    names: () => [],
    info: (name) => ({ name, dtype: 'float32', shape: [], bytes: 0 }) as unknown as ReturnType<Weights['info']>,
    ...{ read: refuse, readBytes: refuse, close: () => Promise.resolve() },
  };
};

/** Our engine has nothing to run it with: what still asks for that is told so. */
const backend: Backend = {
  name: 'live process',
  compile: () => Promise.reject(notLive('this')),
  dispose: () => Promise.resolve(),
};

/**
 * A live process as a model: its computation as our engine knows it, to name sites and layers by, and `live`, which
 * runs it. `dispose` lets the process go.
 * @throws UsageError AGENT_REFUSED, METHOD_UNFIT for a model of no known family; EngineError AGENT_UNREACHABLE, AGENT_LOST
 */
export const openLive = async (name: string, token: string | undefined): Promise<OpenModel> => {
  const start = performance.now();
  const target = await attachTo(name, token);
  try {
    const { description, known, notes } = target.model;
    const { program } = known;
    if (!program)
      throw new UsageError(`the layers of this process's model are not known: ${notes[0] ?? ''}`, {
        code: 'METHOD_UNFIT',
        hint: 'Analyses need a model of transformers of a family that Cutaway knows; `cutaway attach` and `diff` take any.',
      });
    const weights = noWeights();
    const compilations = new Compilations(backend, weights);
    return {
      folder: { path: name, config: description.config, weights, notes: [] },
      ...{ program, weights, backend, compilations, notes, runs: new KeptRuns(0), live: new LiveRuns(target) },
      tokenizer: description.tokenizer ? await liveTokenizer(target.ranks.one.connection) : undefined,
      unedited: () => ({ program, compilations }),
      loadSeconds: (performance.now() - start) / 1000,
      summary: () => Promise.resolve(description.summary),
      dispose: () => target.dispose(),
    };
  } catch (error) {
    await target.dispose();
    throw error;
  }
};
