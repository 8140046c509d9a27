import type { KeptMethod, PageMessage, ServerMessage } from '../../protocol/index.js';

/** Questions for answers that the server still has. */
export interface KeptQuestions {
  /** Undefined where the server has none, or is gone. */
  readonly ask: (method: KeptMethod, params: object) => Promise<unknown>;
  readonly hear: (message: ServerMessage) => void;
  /** There is no connection any more: nothing that is open will be answered. */
  readonly lost: () => void;
}

export const makeKeptQuestions = (send: (message: PageMessage) => void): KeptQuestions => {
  const open = new Map<number, (result: unknown) => void>();
  let count = 0;
  return {
    ask: (method, params) =>
      new Promise((resolve) => {
        const id = ++count;
        open.set(id, resolve);
        send({ type: 'kept', id, asked: method, params: { ...params } });
      }),
    hear: (message) => {
      if (message.type !== 'kept') return;
      open.get(message.id)?.(message.result);
      open.delete(message.id);
    },
    lost: () => {
      for (const resolve of open.values()) resolve(undefined);
      open.clear();
    },
  };
};
