import type { DebugProtocol } from '@vscode/debugprotocol';
import type { ProgressPart } from '../protocol/index.js';

/** Something that takes its time, as a client shows it. */
export interface Task {
  readonly title: string;
  /** The request that it is the work of. */
  readonly requestId?: number;
  /** Ends it, where people ask for that. */
  readonly cancel: () => void;
}

/** What a client is told of a task that it shows. */
export interface ShownTask {
  tell(part: ProgressPart): void;
  end(): void;
}

/** What a client names when it cancels. */
export interface Cancelled {
  readonly progressId?: string | undefined;
  readonly requestId?: number | undefined;
}

/** Between two updates: people read no faster. */
const updateMs = 200;

const megabytes = (bytes: number): string => Math.round(bytes / 1e6).toLocaleString('en');

const shown = ({ done, total, what, bytes }: ProgressPart): string => {
  const weights = bytes === undefined ? '' : `, ${megabytes(bytes.done)} of ${megabytes(bytes.total)} MB of weights`;
  return `${done} of ${total} ${what}${weights}`;
};

/** What is under way, as progress events: each task that begins ends once, whatever becomes of it. */
export class Progress {
  readonly #tasks = new Map<string, Task>();
  #made = 0;

  constructor(readonly send: (event: string, body: object) => void) {}

  begin(task: Task): ShownTask {
    const progressId = `progress ${++this.#made}`;
    this.#tasks.set(progressId, task);
    const { title, requestId } = task;
    const request = requestId === undefined ? {} : { requestId };
    this.send('progressStart', { progressId, title, cancellable: true, ...request } satisfies Body<'Start'>);
    let last = performance.now();
    return {
      tell: (part) => {
        if (!this.#tasks.has(progressId) || performance.now() - last < updateMs) return;
        last = performance.now();
        const percentage = Math.round((100 * part.done) / Math.max(1, part.total));
        this.send('progressUpdate', { progressId, message: shown(part), percentage } satisfies Body<'Update'>);
      },
      end: () => {
        if (this.#tasks.delete(progressId)) this.send('progressEnd', { progressId } satisfies Body<'End'>);
      },
    };
  }

  /** Ends a task by its own name, or by the request that it is the work of. @returns whether there is one */
  cancel({ progressId, requestId }: Cancelled): boolean {
    const found = [...this.#tasks].filter(
      ([id, task]) => id === progressId || (requestId !== undefined && task.requestId === requestId),
    );
    for (const [, task] of found) task.cancel();
    return found.length > 0;
  }
}

type Body<Part extends 'Start' | 'Update' | 'End'> = {
  readonly Start: DebugProtocol.ProgressStartEvent['body'];
  readonly Update: DebugProtocol.ProgressUpdateEvent['body'];
  readonly End: DebugProtocol.ProgressEndEvent['body'];
}[Part];
