import { UsageError } from '../base/index.js';
import {
  circuitInput,
  compareInput,
  debugInput,
  inspectInput,
  knockoutInput,
  lensInput,
  listInput,
  patchInput,
  runInput,
  tokenizeInput,
  tourInput,
} from '../protocol/index.js';
import {
  circuit,
  compare,
  inspect,
  knockout,
  lens,
  list,
  patch,
  run,
  tokenize,
  tour,
  type Operation,
  type OperationContext,
} from '../service/index.js';
import type { Actions, Flags } from './action.js';
import { servePort, serveStdio, type OpenTarget } from '../dap/index.js';
import { HostTarget } from '../service/host/index.js';
import { debug } from './debug/repl.js';
import { printable } from './printable.js';
import { page } from './page.js';
import { showCompare, showKnockout, showLens } from './show-look.js';
import { showCircuit } from './show-circuit.js';
import { showPatch } from './show-patch.js';
import { showList, showOverview } from './show-list.js';
import { showRun } from './show-run.js';
import { showTour } from './show-tour.js';
import { showInspect, showTokens } from './show.js';

interface Face<Input, Output> {
  readonly operation: Operation<Input, Output>;
  readonly input: { parse(value: unknown): Input };
  /** For people, on standard output. */
  readonly show: (output: Output, flags: Flags) => string;
}

/** Ctrl-C once asks for a clean stop; a second time the process ends at once. */
const interruptible = (): { signal: AbortSignal; done: () => void } => {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    done: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
};

const contextOf = (flags: Flags, signal: AbortSignal): OperationContext & { streamed: () => boolean } => {
  let streamed = false;
  const context = {
    signal,
    streamed: () => streamed,
    note: (text: string) => {
      if (flags['quiet'] !== true) process.stderr.write(`note: ${printable(text)}\n`);
    },
  };
  if (flags['json'] === true) return context;
  return {
    ...context,
    stream: (text) => {
      streamed = true;
      process.stdout.write(printable(text));
    },
  };
};

/** The option that a field of an input comes from: `maxNewTokens` is `--max-new-tokens`. */
const optionOf = (field: string): string => `--${field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const parse = <Input>(schema: { parse(value: unknown): Input }, value: unknown): Input => {
  try {
    return schema.parse(value);
  } catch (cause) {
    const issue = (cause as { issues?: { path: (string | number)[]; message: string }[] }).issues?.[0];
    throw new UsageError(`${optionOf(String(issue?.path[0] ?? 'input'))}: ${issue?.message ?? 'invalid'}`, {
      code: 'OPTION_INVALID',
      hint: 'See `cutaway VERB --help`.',
      cause,
    });
  }
};

const act = async <Input, Output>(face: Face<Input, Output>, value: unknown, flags: Flags): Promise<number> => {
  const { signal, done } = interruptible();
  try {
    const context = contextOf(flags, signal);
    const output = await face.operation.run(parse(face.input, value), context);
    if (context.streamed()) process.stdout.write('\n\n');
    process.stdout.write(flags['json'] === true ? `${JSON.stringify(output)}\n` : `${face.show(output, flags)}\n`);
    return signal.aborted ? 130 : 0;
  } finally {
    done();
  }
};

const editsOf = (flags: Flags): unknown => flags['edits'] ?? flags['edit'] ?? [];

const askedOf = (flags: Flags): readonly string[] =>
  ['sites', 'weights', 'listing'].filter((what) => flags[what] === true);

/** The debug adapter: on standard input and output, or at a port until Ctrl-C. */
const dap = async ({ port }: Flags): Promise<number> => {
  const open: OpenTarget = (input, options) => HostTarget.open(input, options);
  if (port === undefined) return serveStdio(open);
  const { signal, done } = interruptible();
  const ready = (at: number): void => void process.stderr.write(`listening on 127.0.0.1:${at}\n`);
  try {
    return await servePort(Number(port), { signal, ready, open });
  } finally {
    done();
  }
};

/** A request that looks at one prompt: its words, its edits, its position. */
const lookOf = (model: string | undefined, flags: Flags): object => {
  const { position, word } = flags;
  return {
    ...flags,
    ...{ model, edits: editsOf(flags), words: word ?? [] },
    ...(position === undefined ? {} : { positions: [position] }),
  };
};

/** What each verb does. */
export const actions: Actions = {
  run: (model, flags) =>
    act({ operation: run, input: runInput, show: showRun }, { ...flags, model, edits: editsOf(flags) }, flags),
  inspect: (model, flags) =>
    act(
      { operation: inspect, input: inspectInput, show: showInspect },
      { ...flags, model, edits: editsOf(flags) },
      flags,
    ),
  list: (model, flags) => {
    const show = askedOf(flags);
    if (show.length === 0) return act({ operation: list, input: listInput, show: showOverview }, { model }, flags);
    return act({ operation: list, input: listInput, show: showList }, { model, show }, flags);
  },
  lens: (model, flags) => act({ operation: lens, input: lensInput, show: showLens }, lookOf(model, flags), flags),
  compare: (model, flags) =>
    act({ operation: compare, input: compareInput, show: showCompare }, lookOf(model, flags), flags),
  knockout: (model, flags) =>
    act({ operation: knockout, input: knockoutInput, show: showKnockout }, lookOf(model, flags), flags),
  patch: (model, flags) =>
    act({ operation: patch, input: patchInput, show: showPatch }, { ...flags, model, edits: editsOf(flags) }, flags),
  circuit: (model, flags) =>
    act(
      { operation: circuit, input: circuitInput, show: showCircuit },
      { ...flags, model, edits: editsOf(flags) },
      flags,
    ),
  page: (model, flags) => page(model, flags, interruptible()),
  debug: (model, flags) => debug(parse(debugInput, { ...flags, model, edits: editsOf(flags) })),
  dap: (_, flags) => dap(flags),
  tour: (_, flags) => act({ operation: tour, input: tourInput, show: showTour }, {}, flags),
  tokenize: (model, flags) => {
    const texts = flags['text'] === undefined ? undefined : [flags['text']];
    return act({ operation: tokenize, input: tokenizeInput, show: showTokens }, { ...flags, model, texts }, flags);
  },
};
