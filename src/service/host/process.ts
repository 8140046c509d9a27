/**
 * The entry of the host's process. Its main thread speaks the protocol on descriptor 3; standard output and error are
 * left to whatever the engine's libraries write there. Ends when the face does.
 */
import { Socket } from 'node:net';
import { collectLater, keepPrivate } from '../../engine/onnxruntime/index.node.js';
import { totalMemoryBytes } from '../machine.node.js';
import { startWorker } from './entries.js';
import type { FromWorker, WorkerLimits } from './messages.js';
import { Server } from './server.js';

/** How long the worker may take to come to the end of a segment and to close its models. */
const graceMs = 3000;

const limitsOf = (given: string | undefined): WorkerLimits => {
  const memory = totalMemoryBytes();
  const standard = { modelBytes: Math.floor(memory / 2), arenaBytes: Math.floor(memory / 4) };
  return { ...standard, ...(given === undefined ? {} : (JSON.parse(given) as Partial<WorkerLimits>)) };
};

const fail = (reason: string): never => {
  process.stderr.write(`${reason}\n`);
  return process.exit(1);
};

const serve = (): void => {
  const socket = new Socket({ fd: 3, readable: true, writable: true });
  keepPrivate();
  collectLater();
  const worker = startWorker(limitsOf(process.argv[2]));
  let isEnding = false;
  const server = new Server({
    send: (pieces) => {
      if (isEnding) return;
      for (const piece of pieces) socket.write(piece);
    },
    post: (message) => worker.postMessage(message),
    hangUp: () => socket.end(),
    pid: process.pid,
  });
  /** A worker that is stopped in the middle of a run aborts the process: it is asked, and given time. */
  const end = (): void => {
    if (isEnding) return;
    server.cancelAll();
    isEnding = true;
    worker.postMessage({ type: 'end' });
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs);
  };
  worker.on('message', (message: FromWorker) => server.told(message));
  worker.on('error', (error) => fail(`the worker failed: ${error.message}`));
  worker.on('exit', (code) => (isEnding ? process.exit(0) : fail(`the worker ended with status ${code}`)));
  socket.on('data', (bytes) => server.receive(bytes));
  socket.on('close', end);
  socket.on('end', end);
  socket.on('error', end);
  process.on('SIGTERM', end);
  process.on('SIGINT', () => undefined); // Ctrl-C is for the face: it cancels, and the host stays
};

serve();
