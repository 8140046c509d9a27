import type { JsonObject } from '../../../base/index.js';
import type { Graph, Program, Segment } from '../../../graph/index.js';
import type { Tensor } from '../../../tensor/index.js';
import type { Suspects } from '../suspects.js';

/** Where two runs first differ, in the model that mistakes are tried in. */
export interface Scene {
  readonly program: Program;
  readonly segment: Segment;
  /** The site that differs, as the segment names it. */
  readonly site: string;
  readonly suspects: Suspects;
  /** A weight of the model, as float32. */
  readonly read: (name: string) => Promise<Tensor<'float32'>>;
  /** The computation with other fields of the config. @throws ModelError CONFIG_* */
  readonly remake: (fields: JsonObject) => Program;
  /** What is known of the other side. */
  readonly other: OtherSide;
}

export interface OtherSide {
  /** Undefined where it is not told. */
  readonly config?: JsonObject;
  /** A weight of the other model; undefined where it has none of that name and shape, or cannot be asked. */
  readonly read?: (name: string) => Promise<Tensor<'float32'> | undefined>;
}

/** What a try makes of a segment. */
export interface SegmentChange {
  readonly graph?: Graph;
  /** Instead of the file's, by name. */
  readonly weights?: ReadonlyMap<string, Tensor>;
}

/** One way in which the other side may have gone wrong, carried out in this model. */
export interface Try {
  /** What the other side then does; completes "there, ...". */
  readonly says: string;
  /** An edit of this model that does the same, where the edit language has one. */
  readonly edit?: string;
  /** Fields of the config that are others. */
  readonly fields?: JsonObject;
  /** The rules of shared inputs as the other side has them. */
  readonly inputs?: (inputs: Program['inputs']) => Program['inputs'];
  /** Also changes segments of another kind: the head where a block differs. */
  readonly beyond?: true;
  /** The change of a segment, also of others than the scene's that are built alike; undefined where it has no place. */
  readonly segment?: (segment: Segment) => SegmentChange | undefined | Promise<SegmentChange | undefined>;
}

/** A mistake that people make when they port, convert or fine-tune a model. */
export interface Mistake {
  /** Part of the result: `epsilon`. */
  readonly id: string;
  /** In a few words, for a table. */
  readonly title: string;
  /** The ways to try at this place; none where it cannot be what is wrong. */
  readonly tries: (scene: Scene) => readonly Try[];
}
