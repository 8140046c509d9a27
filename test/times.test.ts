/** How long the parts of a model take: which parts, in which order. How long is no test's affair. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../src/client/index.js';
import { startHost } from '../src/service/host/index.js';
import { tiny } from './cli/command.js';

let host: Client;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.dispose());

const times = (variant: string, edits: readonly string[] = [], more: object = {}) =>
  host.request('times', {
    ...{ model: tiny(variant), ids: [5, 42, 9], repeats: 3, ...more },
    edits: edits.map((text) => ({ text })),
  });

describe('the times of a model', () => {
  it('are of its segments in their order, and add up', async () => {
    const { segments, ms, repeats } = await times('gpt2-default');
    const names = segments.map((segment) => segment.name);
    expect(names).toEqual(['embed', 'blocks.0', 'blocks.1', 'blocks.2', 'head']);
    expect(repeats).toBe(3);
    for (const segment of segments) expect(segment.ms).toBeGreaterThan(0);
    expect(ms).toBeGreaterThanOrEqual(Math.max(...segments.map((segment) => segment.ms)));
  });

  it('have no layer that is skipped, and one that is repeated twice', async () => {
    const { segments } = await times('gpt2-default', ['skip layer 0', 'repeat layer 1']);
    expect(segments.map((segment) => segment.name)).toEqual(['embed', 'blocks.1', 'blocks.1#2', 'blocks.2', 'head']);
  });

  it('of an encoder-decoder are of both stacks', async () => {
    const { segments } = await times('t5-default', [], { ids: [5, 42, 9], targetIds: [0] });
    const blocks = segments.map((segment) => segment.name).filter((name) => name.includes('blocks.'));
    expect(blocks.filter((name) => name.startsWith('encoder.')).length).toBeGreaterThan(0);
    expect(blocks.filter((name) => name.startsWith('decoder.')).length).toBeGreaterThan(0);
  });

  it('are not gone on with when they are cancelled', async () => {
    const controller = new AbortController();
    const asked = host.request(
      'times',
      { model: tiny('gpt2-default'), ids: [5, 42, 9], repeats: 1000 },
      { signal: controller.signal, onTold: () => controller.abort() },
    );
    await expect(asked).rejects.toMatchObject({ info: { code: 'CANCELLED' } });
  });
});
