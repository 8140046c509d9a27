import path from 'node:path';
import { readFile, stat } from 'node:fs/promises';
import { ModelError, UsageError } from '../base/index.js';
import { Products } from '../engine/index.js';
import { openWeights, type Weights } from '../formats/index.node.js';
import { float32, toFloat32, type Tensor } from '../tensor/index.js';
import type { OpenModel } from './open-model.js';

/** A lens with an affine translator for the stream after each part but the last. */
export interface TunedLens {
  /** h + W h + b with the translator of what `after` names; the last layer's stream is left as it is. [1, row, model] */
  readonly translate: (after: string, rows: Tensor) => Promise<Tensor>;
  dispose(): Promise<void>;
}

interface LensConfig {
  readonly modelDim: number;
  readonly layers: number;
}

const invalid = (folder: string, why: string, hint: string): ModelError =>
  new ModelError(`${folder}: ${why}`, { code: 'CONFIG_INVALID', hint });

const there = (file: string): Promise<boolean> =>
  stat(file).then(
    (s) => s.isFile(),
    () => false,
  );

const configOf = async (folder: string): Promise<LensConfig> => {
  const file = path.join(folder, 'config.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read`, {
      code: 'FILE_UNREADABLE',
      hint: 'A tuned lens is a folder with config.json and params.safetensors.',
      cause,
    });
  });
  const hint = 'A tuned lens’s config.json has d_model and num_hidden_layers, as the tuned-lens package writes it.';
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  } catch {
    throw invalid(folder, 'config.json is no JSON', hint);
  }
  const { d_model: modelDim, num_hidden_layers: layers } = fields;
  if (Number.isInteger(modelDim) && Number.isInteger(layers))
    return { modelDim: Number(modelDim), layers: Number(layers) };
  throw invalid(folder, 'config.json is not of a tuned lens', hint);
};

/** @throws ModelError PICKLE_REFUSED for params.pt alone */
const weightsIn = async (folder: string): Promise<Weights> => {
  for (const name of ['params.safetensors', 'model.safetensors'])
    if (await there(path.join(folder, name))) return openWeights(path.join(folder, name));
  if (await there(path.join(folder, 'params.pt')))
    throw new ModelError(
      `${path.join(folder, 'params.pt')} is a Python pickle, which can run any program when it is loaded: Cutaway never loads one`,
      {
        code: 'PICKLE_REFUSED',
        hint: [
          'Convert it once, if you trust it, in the folder of the lens:',
          '  import torch; from safetensors.torch import save_file',
          '  save_file(torch.load("params.pt", map_location="cpu", weights_only=True), "params.safetensors")',
        ].join('\n'),
      },
    );
  throw invalid(
    folder,
    'there is no params.safetensors',
    'A tuned lens is a folder with config.json and params.safetensors.',
  );
};

const turned = ({ shape, data }: Tensor<'float32'>): Tensor<'float32'> => {
  const [rows = 0, columns = 0] = shape;
  const made = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) made[c * rows + r] = data[r * columns + c] ?? 0;
  return float32([columns, rows], made);
};

/** The translator's number: 0 for the embedding, L + 1 after block L. */
const numberOf = (after: string): number => {
  const layer = /blocks\.(\d+)/.exec(after)?.[1];
  return layer === undefined ? 0 : Number(layer) + 1;
};

/** @throws ModelError TENSOR_SHAPE */
const translatorOf = async (weights: Weights, name: string, { modelDim }: LensConfig) => {
  const prefix = weights.names().some((n) => n.startsWith('layer_translators.')) ? 'layer_translators.' : '';
  const weight = await weights.read(`${prefix}${name}.weight`);
  const hasBias = weights.names().includes(`${prefix}${name}.bias`);
  const bias = hasBias ? await weights.read(`${prefix}${name}.bias`) : float32([modelDim], new Float32Array(modelDim));
  if (weight.shape.join() === `${modelDim},${modelDim}` && bias.shape.join() === `${modelDim}`)
    return { matrix: turned(weight), bias: bias.data };
  throw new ModelError(`the lens’s translator ${name} is ${weight.shape.join(' × ')}, not ${modelDim} × ${modelDim}`, {
    code: 'TENSOR_SHAPE',
    hint: 'The file and config.json of the lens do not belong together.',
  });
};

/**
 * Opens a tuned lens as the tuned-lens package publishes them, its params.pt as safetensors: tensors `L.weight` and
 * `L.bias` for the stream before block L.
 * @throws UsageError FILE_UNREADABLE, OPTION_INVALID for a lens of another model
 * @throws ModelError CONFIG_INVALID, PICKLE_REFUSED, SAFETENSORS_INVALID, TENSOR_MISSING, TENSOR_SHAPE
 * @source Belrose et al. 2023, "Eliciting Latent Predictions from Transformers with the Tuned Lens"
 */
export const openTunedLens = async (folder: string, model: OpenModel): Promise<TunedLens> => {
  const config = await configOf(folder);
  const { modelDim, layers } = model.program.facts;
  if (config.modelDim !== modelDim || config.layers !== layers)
    throw new UsageError(
      `the lens is for ${config.layers} layers of width ${config.modelDim}, and the model has ${layers} of width ${modelDim}`,
      {
        code: 'OPTION_INVALID',
        hint: 'Take the lens that was trained for this model.',
      },
    );
  const weights = await weightsIn(folder);
  const products = await Products.open(model.compilations);
  return {
    translate: async (after, rows) => {
      const number = numberOf(after);
      if (number >= config.layers) return rows;
      const { matrix, bias } = await translatorOf(weights, String(number), config);
      const [, count = 0] = rows.shape;
      const plain = toFloat32(rows);
      const made = await products.of(float32([count, modelDim], plain), matrix);
      return float32(
        rows.shape,
        made.data.map((x, i) => x + (plain[i] ?? 0) + (bias[i % modelDim] ?? 0)),
      );
    },
    dispose: async () => {
      await products.dispose();
      await weights.close();
    },
  };
};
