import { freemem, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';

/** Bytes that can be taken without pushing others out: `MemAvailable` where the system tells it. */
export const freeMemoryBytes = (): number => {
  try {
    const available = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    if (available !== undefined) return Number(available) * 1024;
  } catch {
    // not Linux: the system's own figure, which leaves out caches
  }
  return freemem();
};

export const totalMemoryBytes = (): number => totalmem();
