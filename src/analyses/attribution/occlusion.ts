import type { Attribution, Game } from './model.js';

const all = ({ features }: Game): boolean[] => new Array<boolean>(features).fill(true);

/** All features but one, for each. */
const leftOut = (game: Game): boolean[][] => all(game).map((_, out) => all(game).map((_f, i) => i !== out));

/** f(x) − f(x without the feature). @source Zeiler & Fergus 2014; Li 2016, "leave one out" */
export const occlusion = async (game: Game): Promise<Attribution> => {
  const [value = NaN, ...without] = await game.values([all(game), ...leftOut(game)]);
  return { value, scores: without.map((x) => value - x) };
};
