import { collectLater } from '../engine/onnxruntime/index.node.js';
import { runCommandLine } from './command-line.js';

collectLater();

/** Where nobody reads any more (`| head -1`), there is nothing left to do. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCommandLine(process.argv.slice(2));
