import type { App } from '../app.js';
import { layerOf, rowName } from '../look/names.js';
import { visible } from '../look/token-text.js';
import { measureIds } from '../panels/board/measures.js';
import { panelsOf } from '../panels/registry.js';
import { runActions } from '../state/debugging.js';

/** Something that the palette finds. */
export interface Entry {
  readonly name: string;
  readonly kind: string;
  readonly go: () => void;
}

const actions = (app: App): readonly Entry[] => {
  const { page, experiment, palette } = app.t();
  const kind = palette.action;
  return [
    { name: page.undo, kind, go: () => app.session.send({ type: 'undo' }) },
    { name: page.redo, kind, go: () => app.session.send({ type: 'redo' }) },
    { name: experiment.clear, kind, go: () => app.experiment.set([]) },
    { name: experiment.add, kind, go: () => document.getElementById('add-edit')?.focus() },
    {
      ...{ name: page.theme.switch, kind },
      go: () => app.setView({ theme: app.view.theme === 'dark' ? 'light' : 'dark' }),
    },
    {
      ...{ name: page.languageName, kind },
      go: () => app.setView({ language: app.view.language === 'en' ? 'zh' : 'en' }),
    },
  ];
};

/** What can be done with the run under the debugger as it is now. */
const runEntries = (app: App): readonly Entry[] => {
  const { program, palette } = app.t();
  const line = app.debugging.frame()?.line;
  return [
    ...runActions
      .filter((action) => app.debugging.can(action))
      .map((action) => ({
        ...{ name: program.actions[action], kind: palette.action },
        go: () => app.debugging.do(action),
      })),
    ...(line === undefined
      ? []
      : [{ name: program.commands.toggle, kind: palette.action, go: () => app.debugging.toggle({ line }) }]),
  ];
};

const places = (app: App): readonly Entry[] => {
  const { palette } = app.t();
  const board = app.results.board();
  const heads = app.results.compare()?.model.heads ?? 0;
  const rows = board?.rows ?? [];
  const layers = rows.map((after) => ({
    ...{ name: rowName(after), kind: palette.layer },
    go: () => app.look({ after, head: undefined }),
  }));
  const all = rows.flatMap((after) => {
    const layer = layerOf(after);
    if (layer === undefined) return [];
    return Array.from({ length: heads }, (_, head) => ({
      ...{ name: `${layer}.${head}`, kind: palette.head },
      go: () => {
        app.look({ after, head });
        app.setView({ tab: 'attention' });
      },
    }));
  });
  const tokens = (board?.tokens ?? []).map(({ text }, position) => ({
    ...{ name: `${position} ${visible(text)}`, kind: palette.token },
    go: () => app.look({ position }),
  }));
  return [...layers, ...tokens, ...all];
};

/** All that can be found. */
export const entriesOf = (app: App): readonly Entry[] => {
  const { palette, board } = app.t();
  const panels = panelsOf(app.source()).map((panel) => ({
    ...{ name: panel.title(app.t()), kind: palette.panel },
    go: () => app.setView({ tab: panel.id }),
  }));
  const measures = (app.runOnly() ? [] : measureIds).map((measure) => ({
    ...{ name: board.measures[measure], kind: palette.measure },
    go: () => app.setView({ measure }),
  }));
  return [...panels, ...measures, ...actions(app), ...runEntries(app), ...places(app)];
};

/** Those whose name or kind has every word of a text; where the name begins with it first. */
export const found = (entries: readonly Entry[], text: string): readonly Entry[] => {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const named = (entry: Entry): string => `${entry.name} ${entry.kind}`.toLowerCase();
  const fits = entries.filter((entry) => words.every((word) => named(entry).includes(word)));
  const begins = (entry: Entry): boolean => entry.name.toLowerCase().startsWith(text.toLowerCase());
  return [...fits.filter(begins), ...fits.filter((entry) => !begins(entry))];
};
