import { createStore } from 'solid-js/store';
import type { Theme } from '../look/color.js';
import type { Side } from './beside.js';
import type { MeasureId } from '../panels/board/measures.js';
import type { PanelSettings } from './panel-settings.js';
import type { TrialSettings } from './trials.js';

export type Language = 'en' | 'zh';

/** How one person looks at the session: not shared with other pages, but part of the address. */
export interface View {
  measure: MeasureId;
  /** The panel of the detail that is open, by its id. */
  tab: string;
  /** Width of a cell of the board in pixels; 0: as wide as fits. */
  zoom: number;
  /** Of two runs beside each other, the one that is looked at, or how they differ; whether they have one scale. */
  side: Side;
  oneScale: boolean;
  /** Of the panels that try things out. */
  trials: TrialSettings;
  /** Of the panels that show values. */
  panels: PanelSettings;
  theme: Theme;
  language: Language;
  /** Shares of the window's width that the left column and the drawer take. */
  left: number;
  drawer: number;
  /** The share of the drawer's height that the run under the debugger has of it. */
  stopped: number;
}

const systemTheme = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
const systemLanguage = (): Language => (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');

export const viewDefaults = (): View => ({
  ...{ measure: 'probability', tab: 'block', zoom: 0, side: 'a' as const, oneScale: true, left: 0.46, drawer: 0.2 },
  ...{ stopped: 0.56 },
  ...{ trials: {}, panels: {}, theme: systemTheme(), language: systemLanguage() },
});

export const makeView = (given: Partial<View>) => {
  const [view, set] = createStore<View>({ ...viewDefaults(), ...given });
  return { view, setView: (change: Partial<View>) => set(change) };
};
