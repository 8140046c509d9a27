import { configField, configFlag, otherActivation } from './config.js';
import { epsilon, scale, softCap } from './constants.js';
import { leftOut } from './left-out.js';
import type { Mistake } from './mistake.js';
import { groupOrder, positionOffset, ropeFrequencies, ropePairs, slidingWindow } from './positions.js';
import { gainOffset, otherLayer, otherWeight, swapped, tiedHead, transposed } from './weights.js';

export { differingFields } from './config.js';
export type { Mistake, OtherSide, Scene, SegmentChange, Try } from './mistake.js';

/** What is tried, the most telling first: of two that explain a difference equally well, the earlier is told. */
export const mistakes: readonly Mistake[] = [
  configField,
  ropeFrequencies,
  ropePairs,
  groupOrder,
  slidingWindow,
  positionOffset,
  epsilon,
  softCap,
  scale,
  otherActivation,
  configFlag,
  tiedHead,
  gainOffset,
  transposed,
  swapped,
  otherLayer,
  leftOut,
  otherWeight,
];
