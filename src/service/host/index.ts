export { startHost, type HostOptions } from './start.js';
export { openJournal, type Journal, type JournalEntry } from './journal.js';
export type { WorkerLimits } from './messages.js';
export { HostTarget, type HostTargetOptions } from './host-target.js';
export { openAsked } from './open-asked.js';
