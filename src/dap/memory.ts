import type { Session } from './session.js';

/** Bytes of a value as little-endian float32. Fewer than asked for where it ends. @throws UsageError MEMORY_LIMIT */
export const readMemory = async (
  { target }: Session,
  given: { readonly memoryReference: string; readonly offset: number; readonly count: number },
): Promise<{ address: string; data: string }> => {
  const offset = Math.max(0, given.offset);
  const { bytes } = await target.view({ ask: 'bytes', ref: given.memoryReference, offset, count: given.count });
  return { address: String(offset), data: Buffer.from(bytes ?? []).toString('base64') };
};

/** Writes numbers where the run stands: each is a change, which can be undone. @throws UsageError */
export const writeMemory = async (
  session: Session,
  given: { readonly memoryReference: string; readonly offset: number; readonly data: string },
): Promise<{ offset: number; bytesWritten: number }> => {
  const { memoryReference: ref, offset, data } = given;
  const count = Buffer.from(data, 'base64').length;
  await session.target.apply({ change: 'write', ref, offset, bytes: data });
  session.changed();
  if (session.client.memory) session.afterwards(() => session.send('memory', { memoryReference: ref, offset, count }));
  return { offset, bytesWritten: count };
};
