import type { Weights } from '../formats/index.js';
import type { Graph } from '../graph/index.js';
import type { Tensor } from '../tensor/index.js';

/** Tensors by the names of a graph's inputs or outputs. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** A graph made ready to run, with its weights bound. */
export interface Executable {
  /**
   * Runs the graph.
   * @param feeds a tensor for each of the graph's inputs
   * @param fetch names of the outputs that are wanted; only these are copied out
   * @throws EngineError ENGINE_FAILED
   */
  run(feeds: Tensors, fetch: readonly string[]): Promise<Map<string, Tensor>>;
  /** Frees what it holds. */
  dispose(): Promise<void>;
}

/** Something that can run graphs. One backend serves one model: it may keep what it made of a weight, by name. */
export interface Backend {
  /** `onnxruntime cpu`, `reference float64`: shown with every number it makes. */
  readonly name: string;
  /** Does every form of a segment hold the segment's weights again? */
  readonly holdsWeightsByForm?: boolean;
  /** Binds the graph's weights, by name. */
  compile(graph: Graph, weights: Weights): Promise<Executable>;
  dispose(): Promise<void>;
}
