import { UsageError } from '../../src/base/index.js';
import type { Looked, MoveOptions, Target } from '../../src/debugger/index.js';
import type {
  ChangeResult,
  MoveResult,
  Motion,
  PointsInput,
  PointsResult,
  TargetAbout,
  TargetChange,
  TargetState,
  ViewAsk,
  ViewAskOf,
} from '../../src/protocol/index.js';

/** What a live process shows: what its modules take and give. */
const isBoundary = (site: string): boolean => /(^|\.)(embed|resid_\w+|attn_out|mlp_out|logits)$/.test(site);

const cannot = (what: string): UsageError =>
  new UsageError(`a live process ${what}`, { code: 'COMMAND_INVALID', hint: 'Its modules can be stepped, forward.' });

/**
 * Our engine with a live process's limits: it does not go back, it has no operations to step by, and of its values only
 * those at the boundaries of modules. What the faces are tested on before there is such a process.
 */
export class LimitedTarget implements Target {
  readonly about: TargetAbout;

  constructor(readonly whole: Target) {
    const { about } = whole;
    this.about = {
      ...about,
      kind: 'process',
      can: { ...about.can, back: false, units: ['module', 'layer', 'token'], limits: ['a process does not go back'] },
    };
  }

  get state(): TargetState {
    const { state } = this.whole;
    return { ...state, frames: state.frames.filter((frame) => frame.kind !== 'op') };
  }

  async resume(motion: Motion, options?: MoveOptions): Promise<MoveResult> {
    const back = 'back' in motion && motion.back === true;
    const { step } = this.whole.state.position;
    if (back || (motion.kind === 'goto' && motion.position.step < step)) throw cannot('does not go back');
    if (motion.kind === 'step' && motion.by === 'op') throw cannot('has no operations');
    const { stop } = await this.whole.resume(motion, options);
    return { stop, state: this.state };
  }

  points(input: PointsInput): Promise<PointsResult> {
    return this.whole.points(input);
  }

  async view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    const { ref, expression } = ask as { ref?: string; expression?: string };
    for (const [site] of (expression ?? ref ?? '').matchAll(/\bblocks\.[\w.]+/g))
      if (!isBoundary(site))
        throw new UsageError(`${site} is not at the boundary of a module`, {
          code: 'SITE_NOT_CAPTURED',
          hint: 'A live process shows what its modules take and give.',
        });
    const looked = await this.whole.view(ask);
    if ('sites' in looked) return { ...looked, sites: looked.sites.filter((s) => isBoundary(s.name)) };
    if ('items' in looked && 'scope' in ask && ask.scope === 'sites')
      return { ...looked, items: looked.items.filter((item) => isBoundary(item.name)) };
    return looked;
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    const result = await this.whole.apply(change);
    return { ...result, state: this.state };
  }

  dispose(): Promise<void> {
    return this.whole.dispose();
  }
}
