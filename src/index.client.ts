/** The client alone, in Node and in browsers: what asks a host, with the schemas of all that can be asked and answered. */
export { DebuggerError, EngineError, ModelError, UsageError, type ErrorInfo } from './base/index.js';
export * from './client/index.js';
export * from './protocol/index.js';
