import { BugError, DebuggerError, type Json, type JsonObject } from '../../../base/index.js';
import type { Program } from '../../../graph/index.js';
import { activationNames, familyOf } from '../../../models/index.js';
import type { Mistake, Scene, Try } from './mistake.js';

/** A program of other fields; undefined where there is none. */
const remade = (scene: Scene, fields: JsonObject): Program | undefined => {
  try {
    return scene.remake(fields);
  } catch (error) {
    if (error instanceof DebuggerError && !(error instanceof BugError)) return undefined;
    throw error;
  }
};

const sameJson = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Fields of two configs that are not the same, by name. */
export const differingFields = (a: JsonObject, b: JsonObject): readonly string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((field) => !sameJson(a[field], b[field])).sort();

const isShort = (value: Json | undefined): boolean => value === null || typeof value !== 'object';

/** A field of the config that the other side has otherwise. */
export const configField: Mistake = {
  id: 'config',
  title: 'a field of the config',
  tries: (scene) => {
    const { config } = scene.other;
    if (!config) return [];
    return differingFields(scene.program.config, config).flatMap((field): Try[] => {
      const value = config[field];
      const program = value === undefined ? undefined : remade(scene, { [field]: value });
      if (!program || value === undefined) return [];
      const told = JSON.stringify(value);
      const own = JSON.stringify(scene.program.config[field]) as string | undefined;
      return [
        {
          says: `the config's ${field} is ${told} instead of ${own ?? 'nothing'}`,
          ...(isShort(value) ? { edit: `config ${field} = ${told}` } : {}),
          program,
        },
      ];
    });
  },
};

const nonlinear = new Set(['Gelu', 'Sigmoid', 'Relu', 'Tanh', 'Erf']);

/** Another nonlinearity in the MLP: the two forms of GELU, or SiLU for GELU. */
export const otherActivation: Mistake = {
  id: 'activation',
  title: 'the variant of the activation',
  tries: (scene) => {
    const { nodes } = scene.suspects;
    if (!nodes.some((n) => nonlinear.has(n.op) && /mlp|head/.test(n.scope))) return [];
    const { activationField } = familyOf(scene.program.config);
    const own = scene.program.config[activationField];
    return activationNames
      .filter((name) => name !== own)
      .flatMap((name): Try[] => {
        const program = remade(scene, { [activationField]: name });
        const told = typeof own === 'string' ? ` instead of ${own}` : '';
        return program
          ? [{ says: `the activation is ${name}${told}`, edit: `replace activation with ${name}`, program }]
          : [];
      });
  },
};
