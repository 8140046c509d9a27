import { afterEach } from 'vitest';
import type { Target } from '../../src/debugger/index.js';
import { asked, targets } from './targets.js';

const open: Target[] = [];

/** A target of a kind; it is closed behind the test. */
export const opened = async (kind: string, more: object = {}): Promise<Target> => {
  const make = targets[kind];
  if (!make) throw new Error(kind);
  const target = await make(asked(more));
  open.push(target);
  return target;
};

afterEach(async () => {
  for (const target of open.splice(0)) await target.dispose();
});

/** Sets a breakpoint. @returns its number */
export const idOf = async (target: Target, spec: object): Promise<number> => {
  const [answer] = (await target.points({ add: [{ label: 'here', ...spec }] })).added;
  if (!answer || 'error' in answer) throw new Error(JSON.stringify(answer));
  return answer.id;
};
