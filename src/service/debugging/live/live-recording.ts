import pkg from '../../../../package.json' with { type: 'json' };
import { UsageError } from '../../../base/index.js';
import { createRecording } from '../../../formats/index.node.js';
import {
  recordingVersion,
  type RecordingManifest,
  type TargetAbout,
  type TargetChange,
} from '../../../protocol/index.js';
import { float32 } from '../../../tensor/index.js';
import type { SiteValue } from '../../chosen-sites.js';
import { Recorder } from '../../recording/recorder.js';
import { axesFor } from './live-items.js';
import type { LiveModel } from './live-model.js';
import type { LiveRanks } from './live-ranks.js';
import type { LiveSite } from './live-sites.js';

interface Recorded {
  readonly model: LiveModel;
  readonly ranks: LiveRanks;
  readonly about: TargetAbout;
  readonly edits: readonly string[];
}

/** The most numbers of one value that are fetched. */
const mostNumbers = 4 * 2 ** 20;

const startOf = ({ about, ranks, edits }: Recorded, redacted: boolean): RecordingManifest => {
  const { tokens, prompt } = ranks.standing;
  return {
    ...{
      recording: recordingVersion,
      writer: { name: pkg.name, version: pkg.version },
      date: new Date().toISOString(),
    },
    ...{ verb: 'debug', complete: false, redacted, model: { name: about.name, summary: about.model } },
    ...{
      prompt: { length: prompt, tokens: tokens.slice(0, prompt) },
      sampling: {},
      steps: [],
      stop: 'none',
      sites: [],
    },
    notes: ['one pass of a live process', ...(edits.length > 0 ? [`changed: ${edits.join('; ')}`] : [])],
  };
};

/** A value of this pass, if it is there. */
const valueOf = async ({ name, axes, at }: LiveSite, { ranks }: Recorded): Promise<SiteValue | undefined> => {
  try {
    const { result, payload } = await ranks.one.connection.ask('read', { ref: at, count: mostNumbers });
    const { shape } = result.meta;
    if (result.count !== shape.reduce((n, extent) => n * extent, 1)) return undefined;
    const tensor = float32(shape, new Float32Array(payload.buffer));
    return { name, axes: axesFor(axes, result.meta), tensor, whole: shape, indices: {} };
  } catch (error) {
    if (error instanceof UsageError && error.info.code === 'SITE_NOT_CAPTURED') return undefined;
    throw error;
  }
};

/**
 * Saves the pass in which a process stands as a recording: what of these values it has come to.
 * @throws UsageError OUT_UNWRITABLE, SITE_UNKNOWN
 */
export const recordPass = async (
  { file, sites = '', redact = false }: Extract<TargetChange, { change: 'record' }>,
  recorded: Recorded,
): Promise<{ readonly notes: readonly string[] }> => {
  const { step, tokens, prompt } = recorded.ranks.standing;
  const wanted = sites.trim() === '' ? [] : recorded.model.matching(sites);
  const recorder = new Recorder(await createRecording(file, startOf(recorded, redact)), startOf(recorded, redact));
  let left = 0;
  for (const site of wanted) {
    const value = await valueOf(site, recorded);
    if (value) await recorder.values(step, [value]);
    else left++;
  }
  const token = tokens[prompt + step];
  await recorder.step({ step, ...(token ? { token } : {}) });
  await recorder.finish({});
  return { notes: left === 0 ? [] : [`${left} values are not there yet, and are left out`] };
};
