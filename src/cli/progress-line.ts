import type { ProgressPart } from '../protocol/index.js';

/** Takes the line back on which progress stands. */
const clear = '\r\u001b[K';

/** People read no faster. */
const updateMs = 200;

/** How far something is, on one line of a terminal's standard error that is written over, and gone at the end. */
export class ProgressLine {
  #last = 0;
  #shown = false;

  readonly tell = ({ done, total, what, bytes }: ProgressPart): void => {
    if (done >= total) {
      this.end();
      return;
    }
    const now = performance.now();
    if (now - this.#last < updateMs) return;
    this.#last = now;
    this.#shown = true;
    const weights =
      bytes && bytes.done < bytes.total
        ? `, ${(bytes.done / 1e9).toFixed(1)} of ${(bytes.total / 1e9).toFixed(1)} GB of weights`
        : '';
    process.stderr.write(`${clear}${done} of ${total} ${what}${weights}`);
  };

  end(): void {
    if (this.#shown) process.stderr.write(clear);
    this.#shown = false;
  }
}
