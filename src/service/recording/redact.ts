import type { RecordedStep, RecordingManifest } from '../../protocol/index.js';

/** A step without the token and the likeliest: ids are texts to anyone who has the vocabulary. */
export const redactedStep = ({ token: _, top: __, ...rest }: RecordedStep): RecordedStep => rest;

/** A manifest without what was said and what was asked: texts, token ids, edits, notes, the model's place. */
export const redactedManifest = (manifest: RecordingManifest): RecordingManifest => {
  const { experiment: _, stages: _____, generated: __, masks: ___, notes: ____, ...rest } = manifest;
  const { length, sourceLength } = manifest.prompt;
  return {
    ...rest,
    redacted: true,
    model: { summary: manifest.model.summary },
    prompt: { length, ...(sourceLength === undefined ? {} : { sourceLength }) },
    steps: manifest.steps.map(redactedStep),
  };
};
