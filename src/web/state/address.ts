import { experimentState, sessionFocus, type ExperimentState, type SessionFocus } from '../../protocol/index.js';
import { isMeasure } from '../panels/board/measures.js';
import { isSide, type Side } from './beside.js';
import { panelSettings } from './panel-settings.js';
import { trialSettings, withoutUnset } from './trials.js';
import type { View } from './view.js';

/** What an address keeps behind its `#`: a link brings back what one saw. */
export interface Address {
  readonly state?: ExperimentState | undefined;
  readonly focus?: SessionFocus | undefined;
  readonly view: Partial<View>;
}

const parseJson = (text: string | null): unknown => {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
};

const share = (text: string | null): number | undefined => {
  const x = Number(text ?? NaN);
  return x >= 0.05 && x <= 0.9 ? x : undefined;
};

const viewOf = (params: URLSearchParams): Partial<View> => {
  const [measure, theme, language] = [params.get('by') ?? '', params.get('theme'), params.get('lang')];
  const [left, drawer, stopped, zoom] = [
    share(params.get('left')),
    share(params.get('drawer')),
    share(params.get('stopped')),
    Number(params.get('zoom') ?? 0),
  ];
  const trials = trialSettings.safeParse(parseJson(params.get('try'))).data;
  const panels = panelSettings.safeParse(parseJson(params.get('set'))).data;
  return {
    ...(trials ? { trials } : {}),
    ...(panels ? { panels } : {}),
    ...(isMeasure(measure) ? { measure } : {}),
    ...(theme === 'light' || theme === 'dark' ? { theme } : {}),
    ...(language === 'en' || language === 'zh' ? { language } : {}),
    ...(left === undefined ? {} : { left }),
    ...(drawer === undefined ? {} : { drawer }),
    ...(stopped === undefined ? {} : { stopped }),
    ...(zoom > 0 && zoom < 1000 ? { zoom } : {}),
    ...(isSide(params.get('side') ?? '') ? { side: params.get('side') as Side } : {}),
    ...(params.get('scale') === 'own' ? { oneScale: false } : {}),
    ...(params.get('tab') === null ? {} : { tab: params.get('tab') ?? '' }),
  };
};

/** Reads what stands behind the `#`. What is not understood is left out. */
export const parseAddress = (hash: string): Address => {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const state = experimentState.safeParse(parseJson(params.get('s')));
  const focus = sessionFocus.safeParse(parseJson(params.get('at')));
  return { state: state.data, focus: focus.data, view: viewOf(params) };
};

/** The same as text, what is as usual left out. */
export const formatAddress = ({ state, focus, view }: Address, usual: View): string => {
  const params = new URLSearchParams();
  if (state) params.set('s', JSON.stringify(state));
  if (focus) params.set('at', JSON.stringify(focus));
  const names = {
    measure: 'by',
    tab: 'tab',
    zoom: 'zoom',
    side: 'side',
    theme: 'theme',
    language: 'lang',
    left: 'left',
    drawer: 'drawer',
    stopped: 'stopped',
  };
  for (const [key, name] of Object.entries(names) as [keyof typeof names, string][]) {
    const value = view[key];
    const given = typeof value === 'number' ? Number(value.toFixed(3)) : value;
    if (given !== undefined && given !== usual[key]) params.set(name, String(given));
  }
  const trials = withoutUnset(view.trials ?? {});
  if (Object.keys(trials).length > 0) params.set('try', JSON.stringify(trials));
  if (Object.keys(view.panels ?? {}).length > 0) params.set('set', JSON.stringify(view.panels));
  if (view.oneScale === false) params.set('scale', 'own');
  return `#${params.toString()}`;
};
