import { UsageError } from '../../../base/index.js';
import { openWeights } from '../../../formats/index.node.js';
import {
  formatEdit,
  parseEdits,
  parseExperiment,
  type Direction,
  type Edit,
  type EditOf,
  type FileTensor,
  type Steps,
  type Where,
} from '../../../language/index.js';
import type { AgentConnection } from './agent-connection.node.js';
import { tokenId, type Encode } from './live-expressions.js';
import type { LiveModel } from './live-model.js';
import { checkReadThere, type LiveSite } from './live-sites.js';

/** Numbers that go with a change. */
type Numbers = Float32Array;

/** A change of what a module takes or gives, as the agent makes it at each call. */
export interface AgentPatch {
  readonly path: string;
  readonly when: 'before' | 'after' | 'backward';
  readonly slot: string;
  readonly act: 'set' | 'zero' | 'scale' | 'add' | 'mean' | 'vector' | 'data' | 'plus' | 'skip';
  readonly view?: object;
  readonly axes?: readonly string[];
  readonly where?: Where;
  readonly value?: number;
  readonly steps?: Steps;
  /** Of `data`: the number from which on they are written. */
  readonly offset?: number;
  readonly numbers?: Numbers;
  /** In a pass of several sequences: of this one alone. */
  readonly row?: number;
}

/** A change of a weight: at once, and until it is undone. */
interface WeightChange {
  readonly params: object;
  readonly bytes?: Uint8Array;
}

/** One line of the edit language, and what it is in the process. */
interface LiveEdit {
  readonly text: string;
  readonly patches: readonly AgentPatch[];
  readonly weights: readonly WeightChange[];
  /** By which the agent takes weights back. */
  undo: readonly number[];
}

const cannot = (edit: string): UsageError =>
  new UsageError(`${edit}: this cannot be changed in a live process`, {
    code: 'EDIT_INVALID',
    hint: 'What its modules take and give can (set, scale, add, skip layer, skip module, drop head), gradients, and weights.',
  });

const momentOf = ({ at }: LiveSite): 'before' | 'after' => (at.slot.startsWith('out') ? 'after' : 'before');

type Change = Pick<AgentPatch, 'act' | 'value' | 'numbers' | 'offset'>;

/** Changes as they are sent, and the bytes of their numbers beside them. */
export const packed = (
  patches: readonly AgentPatch[],
): { readonly patches: readonly object[]; readonly payload: Uint8Array } => {
  const size = patches.reduce((sum, { numbers }) => sum + (numbers?.byteLength ?? 0), 0);
  const payload = new Uint8Array(size);
  let offset = 0;
  const sent = patches.map(({ numbers, ...patch }) => {
    if (!numbers) return patch;
    payload.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), offset);
    const data = { offset, count: numbers.length };
    offset += numbers.byteLength;
    return { ...patch, data };
  });
  return { patches: sent, payload };
};

export const patchAt = (
  site: LiveSite,
  { where, steps }: { readonly where?: Where; readonly steps?: Steps },
  change: Change,
): AgentPatch => ({
  ...{ path: site.at.path, when: momentOf(site), slot: site.at.slot, axes: site.axes, ...change },
  ...(site.at.view ? { view: site.at.view } : {}),
  ...(where ? { where } : {}),
  ...(steps ? { steps } : {}),
});

const patchGradient = (site: LiveSite, where: Where | undefined, change: Change): AgentPatch => {
  const slot = site.at.slot === 'out' || site.at.slot === 'out.0' ? 'grad' : site.at.slot.replace(/^out/, 'grad');
  if (!site.at.slot.startsWith('out'))
    throw new UsageError(`the gradient of ${site.name} does not come by at a module`, {
      code: 'SITE_NOT_CAPTURED',
      hint: 'Change the gradient of what a module gives.',
    });
  return { ...patchAt(site, where ? { where } : {}, change), when: 'backward', slot };
};

const skipped = /^\s*skip\s+module\s+(\S+)\s*$/;

/** The changes of a live process, in order: what is undone leaves no trace. */
export class LiveEdits {
  readonly #done: LiveEdit[] = [];
  readonly #undone: LiveEdit[] = [];

  constructor(
    readonly model: LiveModel,
    readonly agents: readonly AgentConnection[],
    readonly encode: Encode,
  ) {}

  get texts(): readonly string[] {
    return this.#done.map((edit) => edit.text);
  }

  /** Adds changes; of those that cannot be made, none. @throws UsageError EDIT_*, SITE_*, WEIGHT_UNKNOWN */
  async add(text: string): Promise<void> {
    await this.#make(await this.#compiled(text));
    this.#undone.length = 0;
  }

  /** The changes in place of all, as lines or as JSON. @throws UsageError as `add`, and then nothing is changed */
  async load(text: string): Promise<void> {
    const made: LiveEdit[] = [];
    if (text.trimStart().startsWith('{'))
      for (const edit of parseExperiment(text).edits) made.push(await this.#compile(edit));
    else made.push(...(await this.#compiled(text)));
    while (await this.undo());
    await this.#make(made);
    this.#undone.length = 0;
  }

  async #compiled(text: string): Promise<LiveEdit[]> {
    const made: LiveEdit[] = [];
    for (const line of text.split('\n')) {
      const path = skipped.exec(line)?.[1];
      if (path !== undefined) made.push(this.#skip(path));
      else for (const edit of parseEdits(line)) made.push(await this.#compile(edit));
    }
    return made;
  }

  /** Writes numbers where they lie in a value or a weight. */
  async write(target: { site: LiveSite } | { weight: string }, offset: number, bytes: Uint8Array): Promise<void> {
    if (offset % 4 !== 0 || bytes.length % 4 !== 0)
      throw new UsageError('whole numbers of 4 bytes are written', { code: 'COMMAND_INVALID', hint: 'Align them.' });
    const [start, numbers] = [offset / 4, new Float32Array(bytes.slice().buffer)];
    const told = `${numbers.length} numbers from ${start}`;
    const edit: LiveEdit =
      'weight' in target
        ? {
            ...{ text: `# weight ${target.weight}: ${told}`, patches: [], undo: [] },
            weights: [{ params: { name: target.weight, act: 'write', offset: start }, bytes }],
          }
        : {
            ...{ text: `# ${target.site.name}: ${told}`, weights: [], undo: [] },
            patches: [patchAt(target.site, {}, { act: 'data', numbers, offset: start })],
          };
    await this.#make([edit]);
    this.#undone.length = 0;
  }

  /** @returns whether there was one */
  async undo(): Promise<boolean> {
    const last = this.#done.pop();
    if (!last) return false;
    this.#undone.push(last);
    if (last.patches.length > 0) await this.#send();
    for (const undo of last.undo.toReversed())
      for (const agent of this.agents) await agent.request('unweight', { undo });
    return true;
  }

  async redo(): Promise<boolean> {
    const next = this.#undone.pop();
    if (!next) return false;
    await this.#make([next]);
    return true;
  }

  async #make(edits: readonly LiveEdit[]): Promise<void> {
    const before = this.#done.length;
    this.#done.push(...edits);
    try {
      await this.#send();
      for (const edit of edits) edit.undo = await this.#weights(edit.weights);
    } catch (error) {
      this.#done.length = before;
      await this.#send().catch(() => undefined);
      throw error;
    }
  }

  async #weights(changes: readonly WeightChange[]): Promise<number[]> {
    const undo: number[] = [];
    for (const { params, bytes } of changes) {
      const [first] = await Promise.all(this.agents.map((agent) => agent.ask('weight', params, bytes)));
      if (first) undo.push(first.result.undo);
    }
    return undo;
  }

  async #send(): Promise<void> {
    const { patches, payload } = packed(this.#done.flatMap((edit) => edit.patches));
    await Promise.all(this.agents.map((agent) => agent.ask('patches', { patches }, payload)));
  }

  #skip(name: string): LiveEdit {
    const path = this.model.modulePath(name) ?? this.model.known.blocks.get(name);
    if (path === undefined)
      throw new UsageError(`there is no module ${name}`, { code: 'SITE_UNKNOWN', hint: '`list` shows them.' });
    const patch: AgentPatch = { path, when: 'after', slot: 'out', act: 'skip' };
    return { text: `skip module ${name}`, patches: [patch], weights: [], undo: [] };
  }

  /**
   * Edits as changes of a pass that is run for its values; those of later steps are not in it.
   * @throws UsageError EDIT_INVALID for those that would change the process itself, or that it cannot make
   */
  async ofPass(edits: readonly Edit[]): Promise<readonly AgentPatch[]> {
    const all: AgentPatch[] = [];
    for (const edit of edits) {
      if (edit.edit === 'weight' || edit.edit === 'replace weight')
        throw new UsageError(`${formatEdit(edit)}: a weight of a running process is not changed for an analysis`, {
          code: 'EDIT_INVALID',
          hint: 'Change it with `cutaway attach`, where it can be undone, or change a value.',
        });
      if ('site' in edit) checkReadThere(this.model.site(edit.site));
      const { patches } = await this.#compile(edit);
      if (patches.some((patch) => patch.when === 'backward')) throw cannot(formatEdit(edit));
      all.push(...patches.filter(({ steps }) => (steps?.from ?? 0) === 0).map(({ steps: _, ...patch }) => patch));
    }
    return all;
  }

  async #compile(edit: Edit): Promise<LiveEdit> {
    const whole = { text: formatEdit(edit), undo: [] as readonly number[] };
    if (edit.edit === 'weight') return { ...whole, patches: [], weights: [this.#weight(edit)] };
    if (edit.edit === 'replace weight') return { ...whole, patches: [], weights: [await this.#replaced(edit)] };
    return { ...whole, weights: [], patches: await this.#patches(edit) };
  }

  async #patches(edit: Exclude<Edit, EditOf<'weight'> | EditOf<'replace weight'>>): Promise<readonly AgentPatch[]> {
    switch (edit.edit) {
      case 'set':
        return [await this.#set(edit)];
      case 'scale':
        return [patchAt(this.model.site(edit.site), edit, { act: 'scale', value: edit.by })];
      case 'add':
        return [patchAt(this.model.site(edit.site), edit, { act: 'vector', value: edit.by, numbers: await this.#vector(edit.vector) })]; // prettier-ignore
      case 'scale grad':
        return [patchGradient(this.model.site(edit.site), edit.where, { act: 'scale', value: edit.by })];
      case 'set grad':
        return [patchGradient(this.model.site(edit.site), edit.where, { act: 'zero' })];
      case 'drop head': {
        const { stack, attention, layer, head } = edit;
        const site = `${stack === undefined ? '' : `${stack}.`}blocks.${layer}.${attention === 'cross' ? 'cross_' : ''}attn.z`;
        return [patchAt(this.model.site(site), { where: { head } }, { act: 'zero' })];
      }
      case 'skip layer':
        return this.#layer(edit).map((path) => ({ path, when: 'after', slot: 'out', act: 'skip' }));
      default:
        throw cannot(formatEdit(edit));
    }
  }

  #layer({ stack, layer }: EditOf<'skip layer'>): string[] {
    const named = this.model.known.blocks.get(`${stack === undefined ? '' : `${stack}.`}blocks.${layer}`);
    const path = named ?? [...this.model.layers].find(([, number]) => number === layer)?.[0];
    if (path !== undefined) return [path];
    throw new UsageError(`there is no layer ${layer}`, { code: 'EDIT_INVALID', hint: '`list` shows the layers.' });
  }

  async #set(edit: EditOf<'set'>): Promise<AgentPatch> {
    const site = this.model.site(edit.site);
    const { to } = edit;
    if (typeof to === 'number') return patchAt(site, edit, { act: 'set', value: to });
    if (to === 'zero' || to === 'mean') return patchAt(site, edit, { act: to });
    if (!('prompt' in to) || edit.where) throw cannot(formatEdit(edit));
    const { ids } = await this.encode(to.prompt);
    const [agent] = this.agents;
    if (!agent) throw cannot(formatEdit(edit));
    const { payload } = await agent.ask('capture', { ids, refs: { [site.name]: site.at } });
    return patchAt(site, edit, { act: 'data', numbers: new Float32Array(payload.buffer) });
  }

  #weight({ name, where, op, value }: EditOf<'weight'>): WeightChange {
    const { axes } = this.model.weight(name);
    if (typeof value !== 'number') throw cannot(`weight ${name} ${op} outer product`);
    return { params: { name, axes, act: op, value, ...(where ? { where } : {}) } };
  }

  async #replaced({ name, from }: EditOf<'replace weight'>): Promise<WeightChange> {
    this.model.weight(name);
    const numbers = await this.#fromFile(from);
    return { params: { name, act: 'write', offset: 0 }, bytes: new Uint8Array(numbers.buffer.slice(0)) };
  }

  async #fromFile({ file, name }: FileTensor): Promise<Float32Array> {
    const weights = await openWeights(file);
    try {
      return (await weights.read(name)).data;
    } finally {
      await weights.close();
    }
  }

  async #vector(vector: Direction | FileTensor): Promise<Float32Array> {
    if ('file' in vector) return this.#fromFile(vector);
    const { ends, sites } = this.model.known;
    const path = vector.in === 'embed' ? sites.get('embed')?.at.path : ends?.head;
    if (path === undefined) throw cannot('direction');
    const [plus, minus] = [await this.#row(path, vector.plus), await this.#row(path, vector.minus)];
    const difference = plus.map((x, i) => x - (minus[i] ?? 0));
    const norm = Math.sqrt(difference.reduce((sum, x) => sum + x * x, 0));
    return difference.map((x) => x / norm);
  }

  async #row(path: string, token: string | number): Promise<Float32Array> {
    const id = typeof token === 'number' ? token : (await tokenId(token, this.encode)).token;
    const name = `${path}.weight`;
    const width = this.model.weights.get(name)?.shape[1] ?? this.model.description.summary.modelDim;
    const [agent] = this.agents;
    if (!agent) return new Float32Array();
    const { payload } = await agent.ask('read', { ref: { param: name }, start: id * width, count: width });
    return new Float32Array(payload.buffer);
  }
}
