import type { Side } from '../../analyses/diff/index.js';
import type { JsonObject } from '../../base/index.js';
import type { DiffSide } from '../../protocol/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Opened } from '../edited-model.js';

/** One of the two that are compared, ready to be read. */
export interface OpenSide extends Side {
  readonly told: DiffSide;
  /** Axis names of a site's value; undefined where they are not known. */
  readonly axesOf: (site: string) => readonly string[] | undefined;
  /** Bytes that a site's value takes. */
  readonly bytesOf: (site: string) => number;
  /** What is to be known of it, such as what it lacks. */
  readonly notes?: readonly string[];
  /** Only of a model. */
  readonly opened?: Opened;
  readonly config?: JsonObject;
  /** A weight as float32; undefined where there is none of that name. */
  readonly weight?: (name: string) => Promise<Tensor<'float32'> | undefined>;
}
