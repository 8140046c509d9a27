import { bug } from '../../base/index.js';
import type { Program, Segment } from '../../graph/index.js';

/** The segment that scores words. */
export const scoresSite = ({ segments, family }: Program): Segment => {
  const segment = segments.find((s) => s.kind === 'head');
  if (!segment) throw bug(`${family} has no head`);
  return segment;
};
