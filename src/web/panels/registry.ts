import type { JSX } from 'solid-js';
import type { Source } from '../app.js';
import type { Words } from '../i18n/index.js';
import { AttackPanel } from './attack/attack-panel.jsx';
import { AttentionPanel } from './attention/attention-panel.jsx';
import { AttributionPanel } from './attribution/attribution-panel.jsx';
import { BesidePanel } from './beside/beside-panel.jsx';
import { BlockPanel } from './block/block-panel.jsx';
import { CircuitPanel } from './circuit/circuit-panel.jsx';
import { ComponentsPanel } from './components/components-panel.jsx';
import { DiffPanel } from './diff/diff-panel.jsx';
import { LensPanel } from './live/lens-panel.jsx';
import { PatternsPanel } from './live/patterns-panel.jsx';
import { ValuePanel } from './live/value-panel.jsx';
import { NeuronsPanel } from './neurons/neurons-panel.jsx';
import { PatchingPanel } from './patching/patching-panel.jsx';
import { PicturePanel } from './picture/picture-panel.jsx';
import { ProgramPanel } from './program/program-panel.jsx';
import { ResidualPanel } from './residual/residual-panel.jsx';
import { SamplingPanel } from './sampling/sampling-panel.jsx';
import { WeightsPanel } from './weights/weights-panel.jsx';

/** What one wants of a panel: to see values, to learn why, or to make runs and go through them. */
export const panelKinds = ['see', 'why', 'run'] as const;
export type PanelKind = (typeof panelKinds)[number];

/** A view of what is in focus: one folder beside this file, one row here. */
export interface DetailPanel {
  /** Part of the address. */
  readonly id: string;
  readonly kind: PanelKind;
  readonly title: (words: Words) => string;
  readonly panel: () => JSX.Element;
}

/** The tabs of the detail: a row for each kind, in this order within it. */
export const detailPanels: readonly DetailPanel[] = [
  { id: 'block', kind: 'see', title: (words) => words.block.title, panel: BlockPanel },
  { id: 'attention', kind: 'see', title: (words) => words.attention.title, panel: AttentionPanel },
  { id: 'residual', kind: 'see', title: (words) => words.residual.title, panel: ResidualPanel },
  { id: 'neurons', kind: 'see', title: (words) => words.neurons.title, panel: NeuronsPanel },
  { id: 'weights', kind: 'see', title: (words) => words.weights.title, panel: WeightsPanel },
  { id: 'attribution', kind: 'why', title: (words) => words.attribution.title, panel: AttributionPanel },
  { id: 'components', kind: 'why', title: (words) => words.components.title, panel: ComponentsPanel },
  { id: 'patching', kind: 'why', title: (words) => words.patching.title, panel: PatchingPanel },
  { id: 'circuit', kind: 'why', title: (words) => words.circuits.title, panel: CircuitPanel },
  { id: 'attack', kind: 'why', title: (words) => words.attacks.title, panel: AttackPanel },
  { id: 'program', kind: 'run', title: (words) => words.program.title, panel: ProgramPanel },
  { id: 'model', kind: 'run', title: (words) => words.picture.title, panel: PicturePanel },
  { id: 'sampling', kind: 'run', title: (words) => words.sampling.title, panel: SamplingPanel },
  { id: 'beside', kind: 'run', title: (words) => words.beside.panel, panel: BesidePanel },
  { id: 'diff', kind: 'run', title: (words) => words.diff.title, panel: DiffPanel },
];

/** The same of a run that is there alone: what a live process or a recording has itself. */
export const runPanels: readonly DetailPanel[] = [
  { id: 'program', kind: 'run', title: (words) => words.program.title, panel: ProgramPanel },
  { id: 'value', kind: 'run', title: (words) => words.live.value, panel: ValuePanel },
  { id: 'patterns', kind: 'run', title: (words) => words.attention.title, panel: PatternsPanel },
  { id: 'lens', kind: 'run', title: (words) => words.live.lens, panel: LensPanel },
];

/** The panels that there are of what the session is of. */
export const panelsOf = (source: Source): readonly DetailPanel[] => {
  if (source === 'model') return detailPanels;
  // A recording has no weights to read the stream with.
  return source === 'process' ? runPanels : runPanels.filter(({ id }) => id !== 'lens');
};
