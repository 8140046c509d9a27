import type { SessionPoint, TokenView } from '../../../protocol/index.js';
import type { Words } from '../../i18n/index.js';
import { visible } from '../../look/token-text.js';

/** A token by its place and text. */
export const tokenName = (tokens: readonly TokenView[], token: number): string =>
  `${token} ${visible(tokens[token]?.text ?? '')}`.trimEnd();

/** Where a breakpoint stands, in words. */
export const placeName = (point: SessionPoint, words: Words['program'], tokens: readonly TokenView[]): string => {
  const { line, layer, token, sites, watch, moment } = point;
  const { places } = words;
  const place = [
    ...(line === undefined ? [] : [places.line(line)]),
    ...(layer === undefined ? [] : [places.layer(layer)]),
    ...(token === undefined ? [] : [places.token(tokenName(tokens, token))]),
    ...(sites === undefined ? [] : [places.sites(sites)]),
    ...(watch === undefined ? [] : [places.watch(watch)]),
  ].join(', ');
  return moment === undefined ? place : `${words.moments[moment]} ${place}`;
};

/** The same with what else must hold, and what is logged. */
export const pointName = (point: SessionPoint, words: Words['program'], tokens: readonly TokenView[]): string => {
  const { condition, hits, log } = point;
  return [
    placeName(point, words, tokens),
    ...(condition === undefined ? [] : [words.when(condition)]),
    ...(hits === undefined ? [] : [words.hitsAre(hits)]),
    ...(log === undefined ? [] : [words.logs(log)]),
  ].join(' · ');
};
