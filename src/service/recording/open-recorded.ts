import { nearest, UsageError } from '../../base/index.js';
import { invalidRecording, openRecording } from '../../formats/index.node.js';
import { resolveSelector, type Where } from '../../language/index.js';
import { toManifest, type RecordedSite, type RecordingManifest } from '../../protocol/index.js';
import { take, type Tensor } from '../../tensor/index.js';
import type { SiteValue } from '../chosen-sites.js';

/** A recording that is open: its manifest, checked, and its values, read when asked for. */
export interface Recording {
  readonly file: string;
  readonly manifest: RecordingManifest;
  /** Why it was recovered from its parts. */
  readonly damage: string | undefined;
  /** The numbers of a site, in the shape that the manifest says. @throws ModelError RECORDING_INVALID */
  read(site: RecordedSite): Promise<Tensor<'float32'>>;
  close(): Promise<void>;
}

/**
 * Opens a recording.
 * @throws ModelError RECORDING_INVALID, FILE_UNREADABLE
 */
export const readRecording = async (file: string): Promise<Recording> => {
  const opened = await openRecording(file);
  try {
    const manifest = toManifest(opened.manifest, file);
    const read = async (site: RecordedSite): Promise<Tensor<'float32'>> => {
      const tensor = await opened.read(site);
      if (tensor.shape.join() === site.shape.join()) return tensor;
      const shapes = `[${tensor.shape.join(', ')}] and not [${site.shape.join(', ')}]`;
      throw invalidRecording(file, `${site.name} of step ${site.step} has shape ${shapes}`);
    };
    return { file, manifest, damage: opened.damage, read, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

/** Does something with a recording and closes it. */
export const withRecording = async <Result>(
  file: string,
  work: (recording: Recording) => Promise<Result>,
): Promise<Result> => {
  const recording = await readRecording(file);
  try {
    return await work(recording);
  } finally {
    await recording.close();
  }
};

const listed = (items: readonly (string | number)[], most = 8): string =>
  items.length <= most ? items.join(', ') : `${items.slice(0, most).join(', ')} and ${items.length - most} more`;

/** A value that the recording does not have, with those that it has. */
export const notCaptured = ({ manifest, file }: Recording, name: string, step: number): UsageError => {
  const { sites } = manifest;
  const names = [...new Set(sites.map((s) => s.name))];
  const steps = sites.filter((s) => s.name === name).map((s) => s.step);
  const near = names.length > 8 ? nearest(name, names) : names;
  const there = names.length === 0 ? 'No values were recorded' : `There are ${names.length}: ${listed(near)}`;
  const hint = steps.length > 0 ? `It is there at step ${listed(steps)}; choose with --step.` : `${there}.`;
  return new UsageError(`${file} has no values of ${name} at step ${step}`, {
    code: 'SITE_NOT_CAPTURED',
    hint: `${hint} To have more, record again with --record-sites, or replay it: cutaway inspect MODEL --from-recording FILE --sites GLOBS.`,
    details: { name, step, steps, sites: names.slice(0, 100) },
  });
};

/** The value of a site at a step, as recorded. @throws UsageError SITE_NOT_CAPTURED */
export const siteAt = (recording: Recording, names: readonly string[], step: number): RecordedSite => {
  for (const name of names) {
    const site = recording.manifest.sites.find((s) => s.name === name && s.step === step);
    if (site) return site;
  }
  throw notCaptured(recording, names[0] ?? '', step);
};

/** What selectors are resolved against: the encoder's tokens in the encoder. */
export const textsAt = ({ manifest }: Recording, name: string) => {
  const { tokens = [], target } = manifest.prompt;
  if (target === undefined || name.startsWith('encoder.')) return { tokens };
  return { tokens: target, sourceTokens: tokens };
};

/** Rows of what was recorded, for indices of the whole value; undefined where some were not recorded. */
export const rowsOf = (site: RecordedSite, axis: string, wanted: readonly number[]): readonly number[] | undefined => {
  const kept = site.indices && Object.hasOwn(site.indices, axis) ? site.indices[axis] : undefined;
  if (!kept) return wanted;
  const places = new Map(kept.map((index, row) => [index, row]));
  const rows = wanted.flatMap((index) => places.get(index) ?? []);
  return rows.length === wanted.length ? rows : undefined;
};

const partMissing = ({ file }: Recording, site: RecordedSite, axis: string): UsageError =>
  new UsageError(`${file} has only a part of ${site.name} along ${axis}`, {
    code: 'SITE_NOT_CAPTURED',
    hint: `At step ${site.step} it has ${axis} ${listed(site.indices?.[axis] ?? [], 20)}.`,
    details: { name: site.name, axis },
  });

/**
 * The part of a recorded value that a selector chooses.
 * @throws UsageError SELECTOR_INVALID, AMBIGUOUS_TOKEN, SITE_NOT_CAPTURED where that part was not recorded
 */
export const recordedPart = async (recording: Recording, site: RecordedSite, where: Where): Promise<SiteValue> => {
  const { name, axes, whole = site.shape } = site;
  const chosen = resolveSelector(where, { name, axes, shape: whole, ...textsAt(recording, name) });
  const rows = [...chosen].map(([axis, wanted]) => {
    const found = rowsOf(site, axis, wanted);
    if (!found) throw partMissing(recording, site, axis);
    return [axis, found] as const;
  });
  const tensor = await recording.read(site);
  return {
    ...{ name, axes, whole, indices: { ...site.indices, ...Object.fromEntries(chosen) } },
    tensor: rows.reduce((t, [axis, list]) => take(t, axes.indexOf(axis), list), tensor),
  };
};
