export { headKinds, kindSum, meanShare, type HeadKind, type HeadPattern, type KindSum } from './kinds.js';
export { copies, type Copies } from './copies.js';
