import type { z } from 'zod';
import type { Session } from './session.js';

/** When a request can be answered: at any time, with a model launched, or only while the run stands. */
export type When = 'any' | 'live' | 'standing';

/** One request: its arguments are checked before it runs, its number is told; what it gives is the body of its answer. */
export interface Row {
  readonly when: When;
  readonly run: (session: Session, given: unknown, seq: number) => Promise<object | undefined>;
}

/** A request whose arguments are of a schema. */
export const row = <Schema extends z.ZodType>(
  when: When,
  schema: Schema,
  run: (session: Session, given: z.output<Schema>, seq: number) => unknown,
): Row => ({
  when,
  run: async (session, given, seq) => {
    const body = await run(session, schema.parse(given ?? {}), seq);
    return typeof body === 'object' && body !== null ? body : undefined;
  },
});
