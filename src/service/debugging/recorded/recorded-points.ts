import { UsageError } from '../../../base/index.js';
import {
  isBad,
  isValueKind,
  repetitionStop,
  valueTold,
  type ExceptionFilter,
  type Station,
} from '../../../debugger/index.js';
import { parseExpression } from '../../../language/index.js';
import { holdsAt } from '../moment.js';
import { sitesMeant } from '../point-run.js';
import { refused, type PointRun } from '../points.js';
import { exceptionFilter, logText, watchedValue } from '../watching.js';
import type { RecordedMoment } from './recorded-moment.js';

type Found = { readonly filter: string; readonly description: string } | undefined;

/** Is the filter's fault here? Numbers are looked at where they were recorded, the others at the end of a step. */
const faultAt = async (moment: RecordedMoment, filter: ExceptionFilter, station: Station): Promise<Found> => {
  if (isValueKind(filter.kind)) {
    if (station.site === undefined) return undefined;
    const { tensor } = await moment.value(station.site);
    if (!isBad(filter.kind, tensor)) return undefined;
    return { filter: filter.kind, description: `${valueTold[filter.kind]} in ${station.site}` };
  }
  if (station.place !== 'next') return undefined;
  if (filter.kind === 'repetition') {
    const description = repetitionStop({ made: moment.made.map((t) => t.id) });
    return description === undefined ? undefined : { filter: filter.kind, description };
  }
  if (filter.kind !== 'entropy') return undefined;
  const entropy = moment.step?.entropy;
  if (typeof entropy !== 'number' || entropy >= filter.below) return undefined;
  return { filter: filter.kind, description: `entropy fell to ${entropy.toPrecision(3)} nats, below ${filter.below}` };
};

/** What a recording can tell of. */
export const recordedCatches: readonly ExceptionFilter['kind'][] = [
  'nan',
  'inf',
  'overflow16',
  'repetition',
  'entropy',
];

/** A filter that a recording can tell of. @throws UsageError COMMAND_INVALID */
const filterOf = async (moment: RecordedMoment, text: string): Promise<ExceptionFilter> => {
  const filter = await exceptionFilter(moment, text);
  if (filter.kind !== 'lost') return filter;
  throw new UsageError('a recording does not have the ranks of all tokens', {
    code: 'COMMAND_INVALID',
    hint: 'Watch rank(...) where logits were recorded, or debug the model with the recording.',
  });
};

/** Points of a recording. */
export const recordedPointRun = (moment: RecordedMoment): PointRun => {
  const { tape } = moment;
  return {
    sites: (globs) => sitesMeant(globs, moment.sites),
    condition: (text) => {
      const tree = parseExpression(text);
      return { holds: () => holdsAt(moment, tree) };
    },
    watch: (text) => {
      if (/^weight\s/.test(text.trim()))
        throw new UsageError('a recording has no weights', { code: 'COMMAND_INVALID', hint: 'Watch a site.' });
      return watchedValue(moment, text);
    },
    logText: (template, shown) => logText(moment, template, shown),
    add: (point, id) => tape.breakpoints.add(point, id),
    remove: (id) => tape.breakpoints.remove(id),
    met: (id) => tape.breakpoints.met(id),
    ignored: (id) => tape.breakpoints.ignored(id),
    catch: async (texts) => {
      const made = await Promise.all(
        texts.map((text) => filterOf(moment, text).catch((error: unknown) => refused(error))),
      );
      const filters = made.filter((m): m is ExceptionFilter => 'kind' in m);
      tape.alarm = async (station) => {
        for (const filter of filters) {
          const found = await faultAt(moment, filter, station);
          if (found) return found;
        }
        return undefined;
      };
      return made.map((m) => ('kind' in m ? { kind: m.kind } : m));
    },
  };
};
