import { runCommandLine } from '../../src/cli/command-line.js';

/** `cutaway dap`, for clients that start an adapter by the name of one file. */
process.exitCode = await runCommandLine(['dap']);
