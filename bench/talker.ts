import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that answers a line with a line of JSON: the other side of a benchmark, kept open so that both take turns. */
export interface Talker {
  ask(request: string): Promise<unknown>;
  end(): void;
}

export const talker = (command: string, args: readonly string[]): Talker => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${request}\n`);
      const line: IteratorResult<string> = await lines.next();
      if (line.done === true) throw new Error(`${command} ended before it answered`);
      return JSON.parse(line.value) as unknown;
    },
    end: () => child.stdin.end(),
  };
};
