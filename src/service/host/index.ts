export { startHost, type HostOptions } from './start.js';
export { openJournal, type Journal, type JournalEntry } from './journal.js';
export type { WorkerLimits } from './messages.js';
export { HostRun } from './host-run.js';
export { HostTarget, type HostTargetOptions } from './host-target.js';
export { KeptTarget, type KeptTargetOptions, type RestoreOptions } from './sessions/kept-target.js';
export { sessionTold, type KeptSession } from './sessions/kept-session.js';
export { keptSessions, lastSession, sessionIn } from './sessions/session-files.js';
export { stateFolder } from './sessions/state-folder.js';
