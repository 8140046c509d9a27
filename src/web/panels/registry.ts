import type { JSX } from 'solid-js';
import type { Words } from '../i18n/index.js';
import { AttentionPanel } from './attention/attention-panel.jsx';
import { AttributionPanel } from './attribution/attribution-panel.jsx';
import { BesidePanel } from './beside/beside-panel.jsx';
import { BlockPanel } from './block/block-panel.jsx';
import { ComponentsPanel } from './components/components-panel.jsx';
import { NeuronsPanel } from './neurons/neurons-panel.jsx';
import { PicturePanel } from './picture/picture-panel.jsx';
import { ProgramPanel } from './program/program-panel.jsx';
import { ResidualPanel } from './residual/residual-panel.jsx';
import { SamplingPanel } from './sampling/sampling-panel.jsx';
import { WeightsPanel } from './weights/weights-panel.jsx';

/** A view of what is in focus: one folder beside this file, one row here. */
export interface DetailPanel {
  /** Part of the address. */
  readonly id: string;
  readonly title: (words: Words) => string;
  readonly panel: () => JSX.Element;
}

/** The tabs of the detail, in their order. The program, for stepping, stands last. */
export const detailPanels: readonly DetailPanel[] = [
  { id: 'block', title: (words) => words.block.title, panel: BlockPanel },
  { id: 'attention', title: (words) => words.attention.title, panel: AttentionPanel },
  { id: 'components', title: (words) => words.components.title, panel: ComponentsPanel },
  { id: 'residual', title: (words) => words.residual.title, panel: ResidualPanel },
  { id: 'attribution', title: (words) => words.attribution.title, panel: AttributionPanel },
  { id: 'neurons', title: (words) => words.neurons.title, panel: NeuronsPanel },
  { id: 'weights', title: (words) => words.weights.title, panel: WeightsPanel },
  { id: 'sampling', title: (words) => words.sampling.title, panel: SamplingPanel },
  { id: 'model', title: (words) => words.picture.title, panel: PicturePanel },
  { id: 'beside', title: (words) => words.beside.panel, panel: BesidePanel },
  { id: 'program', title: (words) => words.program.title, panel: ProgramPanel },
];
