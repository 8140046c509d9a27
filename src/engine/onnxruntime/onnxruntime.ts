import type { Weights } from '../../formats/index.js';
import { toOnnx, type Graph, type Param, type ValueId } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Backend, Executable } from '../backend.js';
import { takeApart, type Piece } from './apart.js';
import { boundWeight, passThrough, sessionExecutable } from './executable.js';
import { sessionOptions, type OnnxruntimeOptions, type SessionNeeds } from './options.js';
import { failed, type Ort, type OrtSession, type OrtTensor } from './ort.js';
import type { Keep } from './storage.js';

/** One of onnxruntime's packages: its interface, and what differs besides. */
export interface Runtime {
  /** `onnxruntime`, `onnxruntime-web`: shown with every number it makes. */
  readonly name: string;
  readonly ort: Ort;
  readonly keep: Keep;
}

/** A session that several executables share. */
interface Shared {
  readonly session: Promise<OrtSession>;
  users: number;
}

/** Runs graphs on onnxruntime. One run at a time. */
class Onnxruntime implements Backend {
  readonly name: string;
  readonly #shared = new Map<string, Shared>();
  readonly #weights = new Map<string, Promise<Tensor>>();
  readonly holdsWeightsByForm: boolean;
  /** How many sessions were made: a changed number must make none. */
  sessionsMade = 0;

  constructor(
    readonly runtime: Runtime,
    readonly options: OnnxruntimeOptions,
  ) {
    this.name = `${runtime.name} ${options.device}`;
    this.holdsWeightsByForm = options.binding === 'packed';
  }

  compile(graph: Graph, weights: Weights): Promise<Executable> {
    if (graph.nodes.length === 0) return Promise.resolve(passThrough(graph));
    switch (this.options.binding) {
      case 'packed':
      case 'mapped':
        return this.#whole(graph, weights);
      case 'inputs':
        return this.#sharing(graph, weights);
      case 'apart':
        return graph.outputs.some((o) => graph.params.some((p) => p.id === o.value))
          ? this.#whole(graph, weights)
          : this.#apart(graph, weights);
    }
  }

  async dispose(): Promise<void> {
    const sessions = [...this.#shared.values()];
    this.#shared.clear();
    this.#weights.clear();
    for (const { session } of sessions) await (await session).release();
  }

  async #create(bytes: Uint8Array, needs: SessionNeeds): Promise<OrtSession> {
    this.sessionsMade++;
    return this.runtime.ort.InferenceSession.create(bytes, sessionOptions(this.options, needs)).catch(
      (error: unknown) => {
        throw failed('onnxruntime could not open a part of the model', error);
      },
    );
  }

  get #target(): 'standard' | 'kernels' {
    return this.options.device === 'cpu' ? 'kernels' : 'standard';
  }

  /** One session with the weights inside. */
  async #whole(graph: Graph, weights: Weights): Promise<Executable> {
    const session = await this.#keeping(graph, weights);
    return sessionExecutable(this.runtime.ort, { graph, session, bound: new Map(), release: () => session.release() });
  }

  /** A session that has its weights. */
  async #keeping(graph: Graph, weights: Weights): Promise<OrtSession> {
    const { storage, needs } = await this.runtime.keep(graph, weights);
    return this.#create(toOnnx(graph, { target: this.#target, storage }), needs);
  }

  /** One session for all graphs of one form, weights given at each run. */
  async #sharing(graph: Graph, weights: Weights): Promise<Executable> {
    const bytes = toOnnx(graph, { target: this.#target, storage: () => ({ kind: 'input' }) });
    const bound = new Map<string, OrtTensor>();
    for (const param of graph.params) bound.set(...(await this.#bound(param, weights)));
    const key = new TextDecoder('latin1').decode(bytes);
    const shared = this.#shared.get(key) ?? { session: this.#create(bytes, { widens: false }), users: 0 };
    this.#shared.set(key, shared);
    shared.users++;
    const release = async (): Promise<void> => {
      if (--shared.users > 0 || !this.#shared.delete(key)) return;
      await (await shared.session).release();
    };
    return sessionExecutable(this.runtime.ort, { graph, session: await shared.session, bound, release });
  }

  /** Linears packed one by one and kept, the rest shared. */
  async #apart(graph: Graph, weights: Weights): Promise<Executable> {
    const pieces: { readonly piece: Piece; readonly executable: Executable }[] = [];
    for (const piece of takeApart(graph)) {
      const executable =
        piece.kind === 'linear'
          ? await this.#keptLinear(piece.graph, weights)
          : await this.#sharing(piece.graph, weights);
      pieces.push({ piece, executable });
    }
    return new ApartExecutable(graph, pieces);
  }

  /** A packed linear stays for the life of the backend: an edit elsewhere must not pack it again. */
  async #keptLinear(graph: Graph, weights: Weights): Promise<Executable> {
    const name = graph.params[0]?.name ?? '';
    const key = `linear ${name} ${JSON.stringify([graph.nodes[0]?.attrs, graph.inputs[0]?.type])}`;
    const plain = renamed(graph);
    const shared = this.#shared.get(key) ?? { session: this.#keeping(plain, weights), users: 1 };
    this.#shared.set(key, shared);
    const session = await shared.session;
    const [input, output] = [graph.inputs[0]?.name ?? '', graph.outputs[0]?.name ?? ''];
    const inner = sessionExecutable(this.runtime.ort, {
      graph: plain,
      session,
      bound: new Map(),
      release: () => Promise.resolve(),
    });
    return {
      async run(feeds, fetch) {
        const x = feeds.get(input);
        const results = await inner.run(x ? new Map([['x', x]]) : new Map(), ['y']);
        const y = results.get('y');
        return y && fetch.includes(output) ? new Map([[output, y]]) : new Map<string, Tensor>();
      },
      dispose: () => inner.dispose(),
    };
  }

  async #bound(param: Param, weights: Weights): Promise<readonly [string, OrtTensor]> {
    const known = this.#weights.get(param.name) ?? weights.read(param.name);
    this.#weights.set(param.name, known);
    return boundWeight(this.runtime.ort, param, await known);
  }
}

/** A linear under ids that do not depend on the graph it was taken from. */
const renamed = (graph: Graph): Graph => {
  const ids = new Map<ValueId, ValueId>();
  const [input, param, node] = [graph.inputs[0], graph.params[0], graph.nodes[0]];
  if (!input || !param || !node) throw failed(`${graph.name} is no linear`);
  ids
    .set(input.id, 'x' as ValueId)
    .set(param.id, 'w' as ValueId)
    .set(node.id, 'y' as ValueId);
  const to = (id: ValueId): ValueId => ids.get(id) ?? id;
  return {
    ...graph,
    inputs: [{ ...input, id: to(input.id), name: 'x' }],
    params: [{ ...param, id: to(param.id) }],
    nodes: [{ ...node, id: to(node.id), inputs: node.inputs.map(to) }],
    outputs: [{ name: 'y', value: to(node.id) }],
  };
};

/** Pieces run one after the other, values handed on by id. */
class ApartExecutable implements Executable {
  constructor(
    readonly graph: Graph,
    readonly pieces: readonly { readonly piece: Piece; readonly executable: Executable }[],
  ) {}

  async run(feeds: ReadonlyMap<string, Tensor>, fetch: readonly string[]): Promise<Map<string, Tensor>> {
    const values = new Map<string, Tensor>();
    for (const input of this.graph.inputs) {
      const tensor = feeds.get(input.name);
      if (tensor) values.set(input.id, tensor);
    }
    const wanted = new Map(this.graph.outputs.map((o) => [o.name, o.value]));
    const fetched = new Set(fetch.flatMap((name) => wanted.get(name) ?? []));
    const later = new Map<ValueId, number>();
    this.pieces.forEach(({ piece }, i) => {
      for (const input of piece.graph.inputs) later.set(input.id, i);
    });
    for (const [i, { piece, executable }] of this.pieces.entries()) {
      const needed = piece.graph.outputs.filter((o) => fetched.has(o.value) || (later.get(o.value) ?? -1) > i);
      const results = await executable.run(
        values,
        needed.map((o) => o.name),
      );
      for (const [id, tensor] of results) values.set(id, tensor);
    }
    return new Map(
      fetch.flatMap((name) => {
        const tensor = values.get(wanted.get(name) ?? '');
        return tensor ? [[name, tensor] as const] : [];
      }),
    );
  }

  async dispose(): Promise<void> {
    for (const { executable } of this.pieces) await executable.dispose();
  }
}

/** onnxruntime as a backend; `sessionsMade` counts the sessions it made. */
export type OnnxruntimeBackend = Backend & { readonly sessionsMade: number };

export const onnxruntimeBackend = (runtime: Runtime, options: OnnxruntimeOptions): OnnxruntimeBackend =>
  new Onnxruntime(runtime, options);
