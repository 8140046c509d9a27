import { BugError, DebuggerError, type Json, type JsonObject } from '../../../base/index.js';
import { activationNames, familyOf } from '../../../models/index.js';
import type { Mistake, Scene, Try } from './mistake.js';

/** Is there a computation with these fields? */
const canBe = (scene: Scene, fields: JsonObject): boolean => {
  try {
    scene.remake(fields);
    return true;
  } catch (error) {
    if (error instanceof DebuggerError && !(error instanceof BugError)) return false;
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
      if (value === undefined || !canBe(scene, { [field]: value })) return [];
      const told = JSON.stringify(value);
      const own = JSON.stringify(scene.program.config[field]) as string | undefined;
      return [
        {
          says: `the config's ${field} is ${told} instead of ${own ?? 'nothing'}`,
          ...(isShort(value) ? { edit: `config ${field} = ${told}` } : {}),
          fields: { [field]: value },
        },
      ];
    });
  },
};

/** A field that is true or false, the other way round: parallel residual, scaled attention, tied head, biases. */
export const configFlag: Mistake = {
  id: 'config-flag',
  title: 'a switch of the config',
  tries: (scene) =>
    Object.entries(scene.program.config).flatMap(([field, value]): Try[] => {
      if (typeof value !== 'boolean') return [];
      if (!canBe(scene, { [field]: !value })) return [];
      const says = `the config's ${field} is ${String(!value)} instead of ${String(value)}`;
      return [{ says, edit: `config ${field} = ${String(!value)}`, fields: { [field]: !value } }];
    }),
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
        const told = typeof own === 'string' ? ` instead of ${own}` : '';
        const fields = { [activationField]: name };
        if (!canBe(scene, fields)) return [];
        return [{ says: `the activation is ${name}${told}`, edit: `replace activation with ${name}`, fields }];
      });
  },
};
