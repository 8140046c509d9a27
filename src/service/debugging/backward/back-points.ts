import { UsageError } from '../../../base/index.js';
import type { Breakpoints, Watched } from '../../../debugger/index.js';
import { placedSites } from '../../../engine/index.js';
import { parseExpression, type Expression } from '../../../language/index.js';
import type { PointSpec } from '../../../protocol/index.js';
import { gradientCatch, type GradientCatch } from '../../gradient-faults.js';
import type { Debuggee } from '../debuggee.js';
import { isNotYet, holdsAt, checkSites } from '../moment.js';
import { checkPlace, pointRunOf, sitesMeant } from '../point-run.js';
import { refused, type PointRun } from '../points.js';
import { logText, watchedOf } from '../watching.js';
import { isOnWay } from './gradients-kept.js';
import type { WalkMoment } from './walk-moment.js';

/** How a live process writes it, too: `backward blocks.3.*`, `grad(blocks.3.mlp_out)`. */
const backwardWords = /^\s*(?:backward(?:\s+(.*?))?|grad\((.+)\))\s*$/s;

const quoted = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;

/** Does a text of expressions read gradients? */
const readsGradients = (text: string | undefined): boolean => /\bgrad\s*\(/.test(text?.replaceAll(quoted, '') ?? '');

/** Is it a point of the way back: by its moment, its place, or what it watches? */
const isBackward = ({ moment, sites, watch }: PointSpec): boolean =>
  moment === 'backward' || readsGradients(watch) || (sites !== undefined && backwardWords.test(sites));

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'COMMAND_INVALID', hint });

/** The first sites, on the way back, of the parts that the run order is made of. */
const beginnings = ({ variant }: Debuggee): ReadonlySet<string> => {
  const last = new Map(placedSites(variant.order).flatMap((p) => (isOnWay(p) ? [[p.instance.name, p.name]] : [])));
  return new Set(last.values());
};

/** What the way back shares with the run that it is of. */
export interface BackPoints {
  readonly breakpoints: Breakpoints;
  readonly moment: WalkMoment;
  catches: readonly GradientCatch[];
}

const checkTree = (moment: WalkMoment, text: string): Expression => {
  const tree = parseExpression(text);
  checkSites(moment, tree);
  return tree;
};

/** What a data breakpoint of the way back watches; a site that is named as in the listing is that of the layer there. */
const watchOn =
  (moment: WalkMoment, tree: Expression): (() => Promise<Watched | undefined>) =>
  async () => {
    try {
      return moment.now() && watchedOf(await moment.evaluate(tree));
    } catch (error) {
      if (isNotYet(error)) return undefined;
      throw error;
    }
  };

/** Points of the way back. */
const backRun = (debuggee: Debuggee, { breakpoints, moment }: BackPoints, next: () => number): PointRun => ({
  sites: (globs) => {
    const found: readonly (string | undefined)[] = backwardWords.exec(globs) ?? [undefined, globs];
    const meant = found.slice(1).join('').trim();
    if (meant === '') return (name) => beginnings(debuggee).has(name);
    const names = placedSites(debuggee.variant.order).flatMap((p) => (isOnWay(p) ? [p.name] : []));
    return sitesMeant(meant, names, debuggee.model.program.facts.aliases);
  },
  check: (spec) => {
    if (spec.steps !== undefined || spec.fed !== undefined) throw invalid('a way back has no tokens: it goes back through one pass over all of them', 'Name sites or layers: break backward blocks.3.mlp_out.'); // prettier-ignore
    checkPlace(debuggee, spec);
    const { sites, layers, lines, watch } = spec;
    const isAnywhere = sites?.trim() === 'backward' && !layers && !lines && watch === undefined;
    if (isAnywhere) throw invalid('backward of what?', 'break backward blocks.*.mlp_out, break backward layer 3');
  },
  condition: (text) => {
    const tree = checkTree(moment, text);
    return { holds: () => holdsAt(moment, tree) };
  },
  watch: (text) => watchOn(moment, checkTree(moment, text)),
  logText: (template, shown) => logText(moment, template, shown),
  add: (point, id) => breakpoints.add(point, id ?? next()),
  remove: (id) => breakpoints.remove(id),
  met: (id) => breakpoints.met(id),
  ignored: (id) => breakpoints.ignored(id),
  catch: () => Promise.resolve([]),
});

/** Of a run: what reads gradients would never hold there, and says so. */
const checkForward = ({ condition, log }: PointSpec): void => {
  if (!readsGradients(condition) && !readsGradients(log)) return;
  throw invalid(
    'gradients are there on a way back alone, and this point is of the run',
    'Write backward before its place: break backward blocks.*.resid_post if norm(grad(resid_post)) > 5.',
  );
};

const backwardKinds: ReadonlySet<string> = new Set(['exploding', 'vanishing']);
const bothWays: ReadonlySet<string> = new Set(['nan', 'inf']);

const kindOf = (text: string): string => /^\s*(\S*)/.exec(text)?.[1] ?? '';

/** Points of a run of our engine and of its ways back, under numbers that they share. */
export const enginePointRun = (debuggee: Debuggee, shared: BackPoints): PointRun => {
  const { breakpoints } = debuggee.session;
  const next = (): number => 1 + Math.max(breakpoints.last, shared.breakpoints.last);
  const run = pointRunOf(debuggee);
  const back = backRun(debuggee, shared, next);
  return {
    ...run,
    for: (spec) => {
      if (!isBackward(spec)) return undefined;
      const isPlaced = spec.sites !== undefined || spec.lines !== undefined || spec.watch !== undefined;
      return { run: back, spec: isPlaced ? spec : { ...spec, sites: 'backward' } };
    },
    check: (spec) => {
      checkForward(spec);
      run.check?.(spec);
    },
    add: (point, id) => run.add(point, id ?? next()),
    remove: (id) => [run.remove(id), back.remove(id)].includes(true),
    met: (id) => run.met(id) + back.met(id),
    ignored: (id) => run.ignored(id) + back.ignored(id),
    catch: async (texts) => {
      const own: GradientCatch[] = [];
      const answers = texts.map((text) => {
        if (!backwardKinds.has(kindOf(text))) return undefined;
        try {
          const made = gradientCatch(text);
          own.push(made);
          return { kind: made.kind };
        } catch (error) {
          return refused(error);
        }
      });
      const forward = await run.catch(texts.filter((_, i) => answers[i] === undefined));
      for (const found of forward) if ('kind' in found && bothWays.has(found.kind)) own.push(gradientCatch(found.kind));
      shared.catches = own.filter((one, i) => !own.slice(i + 1).some((later) => later.kind === one.kind));
      let at = 0;
      return answers.map((answer) => answer ?? forward[at++] ?? { kind: '' });
    },
  };
};
