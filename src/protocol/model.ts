import { z } from 'zod';

/** A model, in brief; of an encoder-decoder, `layers` are the decoder's. Counts are exact; `fingerprint` is `sha256:…` over config, tensor table and ends of tensors. */
export const modelSummary = z.object({
  family: z.string(),
  layers: z.int(),
  encoderLayers: z.int().optional(),
  heads: z.int(),
  modelDim: z.int(),
  vocab: z.int(),
  parameters: z.int(),
  fingerprint: z.string(),
});
export type ModelSummary = z.infer<typeof modelSummary>;

/** A token of a prompt, with its readable text. */
export const tokenView = z.object({ id: z.int(), text: z.string() });
export type TokenView = z.infer<typeof tokenView>;

/** A possible next token: its logit before sampling, null where that is no finite number, and its probability. */
export const scoredToken = tokenView.extend({ logit: z.number().nullable(), probability: z.number() });
export type ScoredToken = z.infer<typeof scoredToken>;
