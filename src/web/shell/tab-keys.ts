export interface Tab {
  /** With the prefix before it, the element's id. */
  readonly id: string;
  readonly title: string;
  /** How many things it holds, where that is told. */
  readonly count?: number;
}

/** Tabs of one kind, in a line with its name before them. */
export interface TabRow {
  readonly label?: string;
  readonly tabs: readonly Tab[];
}

export interface Tabs {
  readonly rows: readonly TabRow[];
  /** The id of the one that is shown. */
  readonly open: string;
}

/** Which tab a key leads to: left and right through all, up and down from row to row, Home and End to the ends. */
export const tabAfter = ({ rows, open }: Tabs, key: string): Tab | undefined => {
  const all = rows.flatMap((row) => row.tabs);
  const isOpen = (tab: Tab): boolean => tab.id === open;
  const along = (by: number): Tab | undefined => all[(all.findIndex(isOpen) + by + all.length) % all.length];
  const across = (by: number): Tab | undefined => {
    const at = rows.findIndex((row) => row.tabs.some(isOpen));
    const next = rows[at + by]?.tabs ?? [];
    return next[Math.min(rows[at]?.tabs.findIndex(isOpen) ?? 0, next.length - 1)];
  };
  const moves: Readonly<Record<string, () => Tab | undefined>> = {
    ArrowRight: () => along(1),
    ArrowLeft: () => along(-1),
    ArrowDown: () => across(1),
    ArrowUp: () => across(-1),
    Home: () => all[0],
    End: () => all.at(-1),
  };
  return moves[key]?.();
};
