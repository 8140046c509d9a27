import type { DebugSettings, SessionPoint } from '../../protocol/index.js';

export const noSettings: DebugSettings = { points: [], watches: [], caught: [] };

/** A point without number and switch. */
export type PointPlace = Omit<SessionPoint, 'id' | 'on'>;

const placeKeys = ['line', 'layer', 'token', 'sites', 'watch', 'moment'] as const;

/** Do two points stand at the same place, whatever their conditions? */
export const isSamePlace = (a: PointPlace, b: PointPlace): boolean => placeKeys.every((key) => a[key] === b[key]);

export const pointAt = ({ points }: DebugSettings, place: PointPlace): SessionPoint | undefined =>
  points.find((point) => isSamePlace(point, place));

/** A number that none of them has; numbers are not given twice while the greatest is there. */
const nextId = (points: readonly SessionPoint[]): number => Math.max(0, ...points.map((p) => p.id)) + 1;

export const withPoint = (settings: DebugSettings, place: PointPlace): DebugSettings => ({
  ...settings,
  points: [...settings.points, { id: nextId(settings.points), on: true, ...place }],
});

export const withoutPoint = (settings: DebugSettings, id: number): DebugSettings => ({
  ...settings,
  points: settings.points.filter((point) => point.id !== id),
});

export const changedPoint = (settings: DebugSettings, id: number, next: Partial<SessionPoint>): DebugSettings => ({
  ...settings,
  points: settings.points.map((point) => (point.id === id ? cleaned({ ...point, ...next }) : point)),
});

/** Fields that are empty are left out. */
const cleaned = (point: SessionPoint): SessionPoint =>
  Object.fromEntries(Object.entries(point).filter(([, value]) => value !== undefined && value !== '')) as SessionPoint;

/** Sets a point where none stands, and takes away the one that does. */
export const toggledPoint = (settings: DebugSettings, place: PointPlace): DebugSettings => {
  const there = pointAt(settings, place);
  return there ? withoutPoint(settings, there.id) : withPoint(settings, place);
};

/** What an exception is called apart from its number or word: `entropy 0.5` is of the kind `entropy`. */
export const caughtKind = (text: string): string => text.trim().split(/\s+/)[0] ?? '';

/** The kinds that are offered as check boxes; something may stand behind the last four: nats, a token, a norm. */
export const caughtKinds = [
  'nan',
  'inf',
  'overflow16',
  'repetition',
  'entropy',
  'lost',
  'exploding',
  'vanishing',
] as const;
/** That which only a live process has. */
const processKinds = ['error'] as const;
export type CaughtKind = (typeof caughtKinds)[number] | (typeof processKinds)[number];

/** What can be caught of a run that says what it catches. */
export const caughtOf = (catches: readonly string[] | undefined): readonly CaughtKind[] =>
  catches ? [...caughtKinds, ...processKinds].filter((kind) => catches.includes(kind)) : caughtKinds;

/** Puts one text in place of all of its kind; undefined takes the kind away. */
export const withCaught = (settings: DebugSettings, kind: CaughtKind, text: string | undefined): DebugSettings => {
  const others = settings.caught.filter((other) => caughtKind(other) !== kind);
  return { ...settings, caught: text === undefined ? others : [...others, text] };
};
