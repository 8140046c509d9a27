export { difference, differenceAlong, type Difference } from './difference.js';
export { asGoodAs, explain, segmentOfSite, type ExplainRequest, type Explanation } from './explain.js';
export { differingFields, mistakes, type Mistake, type OtherSide, type Scene, type Try } from './mistakes/index.js';
export { tried, valuesIn, type Reach, type Trial } from './try.js';
export { walk, type Side, type SiteDifference, type Unlike, type Walk } from './walk.js';
export { outliers, type Outlier } from './outliers.js';
export { signsOf, type Pair } from './signs.js';
