import type { Prompt } from '../engine/index.js';
import type { Edit } from '../language/index.js';
import type { OpenModel } from './open-model.js';

/** A model that is open for a request, with its edits. */
export interface EditedModel {
  readonly model: OpenModel;
  readonly edits: readonly Edit[];
}

/** The same, with one of the request's prompts. */
export interface Opened extends EditedModel {
  readonly prompt: Prompt;
}
