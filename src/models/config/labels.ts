import type { JsonObject } from '../../base/index.js';
import { ConfigReader } from './config-reader.js';

/** Many times what any classifier has. */
const mostLabels = 1_000_000;

const problems = ['regression', 'single_label_classification', 'multi_label_classification'];

/**
 * Names of the labels, by id: `id2label`, else `LABEL_0`, `LABEL_1` ... as many as `num_labels`, 2 where that is left
 * out too. Where both are there, `id2label` holds, as in transformers.
 * @source https://github.com/huggingface/transformers, configuration_utils.py, `PretrainedConfig`
 * @throws ModelError CONFIG_INVALID
 */
export const labelsOf = (json: JsonObject): readonly string[] => {
  const c = new ConfigReader(json);
  const problem = c.string('problem_type', 'single_label_classification');
  c.require(problems.includes(problem), 'problem_type', `one of ${problems.join(', ')}`);
  const named = new Map(Object.entries(c.object('id2label')?.config ?? {}));
  const count = named.size > 0 ? named.size : c.integer('num_labels', 2);
  c.require(count <= mostLabels, 'num_labels', `at most ${mostLabels}`);
  return Array.from({ length: count }, (_, id) => {
    const name = named.size > 0 ? named.get(String(id)) : `LABEL_${id}`;
    const readable = typeof name === 'string' || typeof name === 'number';
    c.require(readable, 'id2label', `a name for each id from 0 to ${count - 1}`);
    return readable ? String(name) : '';
  });
};
