import type { Looked } from '../../../debugger/index.js';
import type { ViewAskOf } from '../../../protocol/index.js';
import { float32 } from '../../../tensor/index.js';
import { finite, levelFor, matrixNumber, matrixShape, pixelsOf } from '../picture.js';
import { agentError, type AgentConnection } from './agent-connection.node.js';
import { axesFor } from './live-items.js';
import type { Resolved } from './live-values.js';

/** A matrix of more numbers is made smaller in the process. */
const mostRead = 2 ** 20;

/** Only the numbers of the picture's pixels, or of a small matrix, leave the process. */
const pixels = async (
  agent: AgentConnection,
  { ref }: Resolved,
  { shape, at, most }: { readonly shape: readonly number[]; readonly at: readonly number[]; readonly most: number },
) => {
  const [rows, columns] = matrixShape(shape);
  const number = matrixNumber(shape, at);
  if (rows * columns <= mostRead) {
    const count = rows * columns;
    const { payload } = await agent.ask('read', { ref, start: number * count, count });
    return pixelsOf(float32([rows, columns], new Float32Array(payload.buffer)), most);
  }
  const level = levelFor(rows, columns, most);
  const { result, payload } = await agent.ask('pyramid', { ref, level });
  const [high, wide] = matrixShape(result.shape);
  const size = 4 * high * wide;
  return {
    pixels: { rows: high, columns: wide, level },
    bytes: payload.slice(number * size, (number + 1) * size),
  };
};

/** A value of the process at a glance; statistics and distribution are computed there. */
export const livePicture = async (
  agent: AgentConnection,
  value: Resolved,
  { at, bins, most }: ViewAskOf<'picture'>,
): Promise<Looked<'picture'>> => {
  const { ref, opened } = value;
  const { values } = await agent.request('stats', { refs: [ref] });
  const [look] = values;
  if (!look) throw agentError({ code: 'SITE_NOT_CAPTURED', message: `${opened.name} is not there`, hint: 'Go on.' });
  if ('problem' in look) throw agentError(look.problem);
  const { meta, stats } = look;
  const { shape, nan, inf, min, max, mean, std, norm } = stats;
  const { low, high, counts } = await agent.request('histogram', { ref, bins });
  return {
    ...{ axes: [...axesFor(opened.axes, { ...meta, shape })], shape: [...shape], dtype: meta.dtype },
    stats: {
      ...{ nan, inf, min: finite(min), max: finite(max), mean: finite(mean), std: finite(std), norm: finite(norm) },
    },
    histogram: { low: finite(low), high: finite(high), counts: [...counts] },
    ...(await pixels(agent, value, { shape, at, most })),
  };
};
