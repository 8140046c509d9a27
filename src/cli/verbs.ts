import { UsageError } from '../base/index.js';
import {
  attachInput,
  attackInput,
  attributeInput,
  circuitInput,
  compareInput,
  componentsInput,
  compositionInput,
  debugInput,
  diffInput,
  headInput,
  headsInput,
  inspectInput,
  knockoutInput,
  lensInput,
  listInput,
  patchInput,
  neuronsInput,
  runInput,
  tokenizeInput,
  tourInput,
  type InspectResult,
} from '../protocol/index.js';
import {
  attack,
  attribute,
  circuit,
  compare,
  diff,
  components,
  composition,
  head,
  heads,
  inspect,
  knockout,
  lens,
  list,
  patch,
  neurons,
  run,
  tokenize,
  tour,
  type Operation,
  type OperationContext,
} from '../service/index.js';
import type { Actions, Flags } from './action.js';
import { openKept, servePort, serveStdio } from '../dap/index.js';
import { debug, debugLive } from './debug/repl.js';
import { printable } from './printable.js';
import { page } from './page.js';
import { showDiff } from './show-diff.js';
import { unreadByAttribution, unreadByPatching } from './unfit.js';
import { optionOf } from './values.js';
import { showAttack, showAttribution } from './show-attribution.js';
import { showCompare, showKnockout, showLens } from './show-look.js';
import { showCircuit } from './show-circuit.js';
import { showPatch } from './show-patch.js';
import { showComponents } from './show-components.js';
import { showHead } from './show-head.js';
import { showHeads } from './show-heads.js';
import { showComposition } from './show-composition.js';
import { ProgressLine } from './progress-line.js';
import { showNeurons } from './show-neurons.js';
import { showList, showOverview } from './show-list.js';
import { showRun } from './show-run.js';
import { showTour } from './show-tour.js';
import { showInspect, showTokens } from './show.js';

interface Face<Input, Output> {
  readonly operation: Operation<Input, Output>;
  readonly input: { parse(value: unknown): Input };
  /** For people, on standard output. */
  readonly show: (output: Output, flags: Flags) => string;
  /** Options that are given and that nothing reads, a sentence each. */
  readonly unread?: (flags: Flags) => readonly string[];
  /** The exit status; 1 where a check did not hold. */
  readonly status?: (output: Output) => number;
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
      if (flags['quiet'] !== true)
        process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}note: ${printable(text)}\n`);
    },
  };
  const shown = flags['quiet'] !== true && process.stderr.isTTY;
  const told = shown ? { ...context, progress: new ProgressLine().tell } : context;
  if (flags['json'] === true) return told;
  return {
    ...told,
    stream: (text) => {
      streamed = true;
      process.stdout.write(printable(text));
    },
  };
};

/** What a schema says of a value that it refuses. */
interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly code?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly inclusive?: boolean;
  readonly origin?: string;
  readonly values?: readonly unknown[];
}

/** The same as a sentence of ours, for the kinds that options have. */
const wanted = ({ code, minimum, maximum, inclusive, origin, values, message }: Issue): string => {
  const isNumber = origin === 'number' || origin === 'int';
  if (code === 'too_small' && isNumber)
    return ` should be ${inclusive === false ? 'more than' : 'at least'} ${minimum}`;
  if (code === 'too_big' && isNumber) return ` should be ${inclusive === false ? 'less than' : 'at most'} ${maximum}`;
  if (code === 'invalid_value' && values) return ` should be one of ${values.join(', ')}`;
  return `: ${message}`;
};

const parse = <Input>(schema: { parse(value: unknown): Input }, value: unknown): Input => {
  try {
    return schema.parse(value);
  } catch (cause) {
    const issue = (cause as { issues?: Issue[] }).issues?.[0];
    throw new UsageError(`${optionOf(String(issue?.path[0] ?? 'input'))}${issue ? wanted(issue) : ' is invalid'}`, {
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
    for (const note of face.unread?.(flags) ?? []) context.note(note);
    const output = await face.operation.run(parse(face.input, value), context);
    if (context.streamed()) process.stdout.write('\n\n');
    process.stdout.write(flags['json'] === true ? `${JSON.stringify(output)}\n` : `${face.show(output, flags)}\n`);
    return signal.aborted ? 130 : (face.status?.(output) ?? 0);
  } finally {
    done();
  }
};

const editsOf = (flags: Flags): unknown => flags['edits'] ?? flags['edit'] ?? [];

/** What a live process must be told. */
const tokenOf = (flags: Flags): unknown => flags['token'] ?? process.env['CUTAWAY_TOKEN'];

const askedOf = (flags: Flags): readonly string[] =>
  ['sites', 'weights', 'listing'].filter((what) => flags[what] === true);

/** The debug adapter: on standard input and output, or at a port; Ctrl-C ends it in order. */
const dap = async ({ port }: Flags): Promise<number> => {
  const { signal, done } = interruptible();
  const ready = (at: number): void => void process.stderr.write(`listening on 127.0.0.1:${at}\n`);
  try {
    if (port === undefined) return await serveStdio(openKept, signal);
    return await servePort(Number(port), { signal, ready, open: openKept });
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

const replacements = ['mask', 'pad', 'zero', 'remove'];

/** What takes the place of tokens: a word of ours, or a token. */
const replacementOf = (name: string, given: unknown): object => {
  if (given === undefined) return {};
  return { [name]: typeof given === 'string' && !replacements.includes(given) ? { token: given } : given };
};

const attributionOf = (model: string | undefined, flags: Flags): object => ({
  ...{ ...flags, model, edits: editsOf(flags), token: tokenOf(flags) },
  ...replacementOf('replace', flags['replace']),
  ...replacementOf('baseline', flags['baseline']),
});

/** `HOST:PORT`, or a port of this machine. */
const addressOf = (address: string | undefined): { readonly host?: string; readonly port: number } => {
  const [, host, port = ''] = /^(?:(.*):)?(\d{1,5})$/.exec(address ?? '') ?? [];
  if (port !== '') return { ...(host === undefined || host === '' ? {} : { host }), port: Number(port) };
  throw new UsageError(`${address ?? ''} is no HOST:PORT`, {
    code: 'OPTION_INVALID',
    hint: 'The process prints the whole command: cutaway attach HOST:PORT --token TOKEN.',
  });
};

/** What only one of the two faces of `attach` has. @throws UsageError OPTION_INVALID */
const checkFace = ({ page: isPage, listen, x, port, open }: Flags): void => {
  const inPage = [...(listen === true ? ['--listen'] : []), ...(x === undefined ? [] : ['-x'])];
  const inTerminal = [...(port === undefined ? [] : ['--port']), ...(open === false ? ['--no-open'] : [])];
  const [wrong] = isPage === true ? inPage : inTerminal;
  if (wrong === undefined) return;
  throw new UsageError(`${wrong} is ${isPage === true ? 'not for --page' : 'for --page alone'}`, {
    code: 'OPTION_INVALID',
    hint: 'cutaway attach --help tells which options are the terminal’s, and which the page’s.',
  });
};

/** Attaches in the terminal, or in the page. */
const attach = (address: string | undefined, flags: Flags): Promise<number> => {
  const { token, ranks, listen, x } = flags;
  checkFace(flags);
  const at = { ...addressOf(address), token: token ?? process.env['CUTAWAY_TOKEN'] ?? '', ranks, listen };
  const given = parse(attachInput, at);
  if (flags['page'] !== true) return debugLive(given, typeof x === 'string' ? x : undefined);
  const attached = { address: `${given.host}:${given.port}`, token: given.token, ranks: given.ranks };
  return page(undefined, { ...flags, listen: undefined, attach: attached }, interruptible());
};

/** 1 where a gradient that was watched is wrong. */
const caughtStatus = (output: InspectResult | readonly InspectResult[]): number =>
  [output].flat().some(({ gradCaught }) => gradCaught !== undefined && gradCaught !== null) ? 1 : 0;

/** What each verb does. */
export const actions: Actions = {
  run: (model, flags) =>
    act({ operation: run, input: runInput, show: showRun }, { ...flags, model, edits: editsOf(flags) }, flags),
  inspect: (model, flags) =>
    act(
      { operation: inspect, input: inspectInput, show: showInspect, status: caughtStatus },
      { ...flags, model, edits: editsOf(flags) },
      flags,
    ),
  list: (model, flags) => {
    const show = askedOf(flags);
    if (show.length === 0) return act({ operation: list, input: listInput, show: showOverview }, { model }, flags);
    return act({ operation: list, input: listInput, show: showList }, { model, show }, flags);
  },
  lens: (model, flags) =>
    act(
      { operation: lens, input: lensInput, show: showLens },
      { ...lookOf(model, flags), kl: true, token: tokenOf(flags) },
      flags,
    ),
  compare: (model, flags) =>
    act({ operation: compare, input: compareInput, show: showCompare }, lookOf(model, flags), flags),
  knockout: (model, flags) =>
    act({ operation: knockout, input: knockoutInput, show: showKnockout }, lookOf(model, flags), flags),
  diff: (model, flags) => {
    const otherEdits = flags['otherEdits'] ?? flags['otherEdit'] ?? [];
    const value = { ...flags, model, edits: editsOf(flags), otherEdits, token: tokenOf(flags) };
    return act(
      { operation: diff, input: diffInput, show: showDiff, status: ({ agree }) => (agree ? 0 : 1) },
      value,
      flags,
    );
  },
  attribute: (model, flags) =>
    act(
      { operation: attribute, input: attributeInput, show: showAttribution, unread: unreadByAttribution },
      attributionOf(model, flags),
      flags,
    ),
  attack: (model, flags) =>
    act({ operation: attack, input: attackInput, show: showAttack }, { ...flags, model, edits: editsOf(flags) }, flags),
  patch: (model, flags) =>
    act(
      { operation: patch, input: patchInput, show: showPatch, unread: unreadByPatching },
      { ...flags, model, edits: editsOf(flags), token: tokenOf(flags) },
      flags,
    ),
  circuit: (model, flags) =>
    act(
      { operation: circuit, input: circuitInput, show: showCircuit },
      { ...flags, model, edits: editsOf(flags) },
      flags,
    ),
  components: (model, flags) =>
    act(
      { operation: components, input: componentsInput, show: showComponents },
      { ...flags, model, edits: editsOf(flags) },
      flags,
    ),
  heads: (model, flags) =>
    act({ operation: heads, input: headsInput, show: showHeads }, { ...flags, model, edits: editsOf(flags) }, flags),
  composition: (model, flags) =>
    act(
      { operation: composition, input: compositionInput, show: showComposition },
      { ...flags, model, edits: editsOf(flags) },
      flags,
    ),
  head: (model, flags) =>
    act({ operation: head, input: headInput, show: showHead }, { ...flags, model, edits: editsOf(flags) }, flags),
  neurons: (model, flags) =>
    act(
      { operation: neurons, input: neuronsInput, show: showNeurons },
      { ...flags, model, edits: editsOf(flags), neurons: flags['neuron'] ?? [] },
      flags,
    ),
  page: (model, flags) => page(model, flags, interruptible()),
  debug: (model, flags) =>
    debug(parse(debugInput, { ...flags, model, edits: editsOf(flags) }), {
      restore: flags['restore'] as string | true | undefined,
      isPrivate: flags['journal'] === false,
    }),
  attach,
  dap: (_, flags) => dap(flags),
  tour: (_, flags) => act({ operation: tour, input: tourInput, show: showTour }, {}, flags),
  tokenize: (model, flags) => {
    const texts = flags['text'] === undefined ? undefined : [flags['text']];
    return act({ operation: tokenize, input: tokenizeInput, show: showTokens }, { ...flags, model, texts }, flags);
  },
};
