import { afterEach, describe, expect, it } from 'vitest';
import { llama, tiny } from '../cli/command.js';
import { Client } from './client.js';

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) {
    await client.end();
    expect(client.problems()).toEqual([]);
  }
});

const begin = async (more: object = {}): Promise<Client> => {
  const client = new Client();
  clients.push(client);
  await client.ask('initialize', { adapterID: 'x', supportsMemoryEvent: true, supportsInvalidatedEvent: true });
  await client.ask('launch', { model: llama, ids: [5, 42, 9, 31], maxNewTokens: 2, stopOnEntry: true, ...more });
  await client.event('initialized');
  await client.ask('configurationDone');
  await client.event('stopped');
  return client;
};

interface Frame {
  readonly id: number;
  readonly name: string;
  readonly line: number;
  readonly instructionPointerReference?: string;
  readonly moduleId?: string;
}
const top = async (client: Client): Promise<Frame> => {
  const { stackFrames } = await client.ask<{ stackFrames: [Frame] }>('stackTrace', { threadId: 1 });
  return stackFrames[0];
};

describe('instructions', () => {
  it('are the operations: listed before and behind an address, padded where there are none', async () => {
    const client = await begin();
    const { instructionPointerReference: memoryReference = '', line } = await top(client);
    const list = async (asked: object) =>
      (
        await client.ask<{
          instructions: { address: string; instruction: string; line?: number; presentationHint?: string }[];
        }>('disassemble', { memoryReference, ...asked })
      ).instructions;
    const [here, next] = await list({ instructionCount: 2 });
    expect(here).toMatchObject({
      address: memoryReference,
      line,
      instruction: expect.stringContaining('Gather(') as string,
    });
    expect(next?.line).toBeGreaterThan(line);
    const around = await list({ instructionOffset: -3, instructionCount: 5 });
    expect(around).toHaveLength(5);
    expect(around.slice(0, 3).map((i) => i.presentationHint)).toEqual(['invalid', 'invalid', 'invalid']);
    expect(around[3]).toEqual(here);
    expect(await list({ instructionOffset: 10_000, instructionCount: 3 })).toHaveLength(3);
    expect((await client.request('disassemble', { memoryReference: 'here', instructionCount: 1 })).success).toBe(false);
  });

  it('stop a run, and are stepped over', async () => {
    const client = await begin();
    const { instructions } = await client.ask<{ instructions: { address: string; line: number }[] }>('disassemble', {
      memoryReference: (await top(client)).instructionPointerReference,
      instructionCount: 10,
    });
    const wanted = instructions[7];
    const set = {
      breakpoints: [{ instructionReference: wanted?.address, condition: 'layer == 1' }, { instructionReference: 'x' }],
    };
    expect(await client.ask('setInstructionBreakpoints', set)).toEqual({
      breakpoints: [
        { id: 1, verified: true, instructionReference: wanted?.address },
        { id: 2, verified: false, message: "x is no operation's address." },
      ],
    });
    expect(await client.until('continue')).toMatchObject({ reason: 'instruction breakpoint', hitBreakpointIds: [1] });
    expect((await top(client)).line).toBe(wanted?.line);
    await client.until('stepIn', { threadId: 1, granularity: 'instruction' });
    expect((await top(client)).line).toBe(instructions[8]?.line);
  });

  it('a step goes into a module that is chosen', async () => {
    const client = await begin();
    await client.until('next', { threadId: 1, granularity: 'line' });
    const { targets } = await client.ask<{ targets: { id: number; label: string }[] }>('stepInTargets', { frameId: 1 });
    expect(targets.map((t) => t.label)).toEqual(expect.arrayContaining(['attn', 'mlp']));
    await client.until('stepIn', { threadId: 1, targetId: targets.find((t) => t.label === 'mlp')?.id });
    const { stackFrames } = await client.ask<{ stackFrames: Frame[] }>('stackTrace', { threadId: 1 });
    expect(stackFrames[1]?.name).toBe('mlp');
    expect((await client.request('stepIn', { threadId: 1, targetId: 99 })).success).toBe(false);
  });

  it('modules are the layers', async () => {
    const client = await begin({ model: tiny('t5-default') });
    const { modules, totalModules } = await client.ask<{
      modules: { id: string; sites: number }[];
      totalModules: number;
    }>('modules', {
      startModule: 1,
      moduleCount: 2,
    });
    expect(modules.map((m) => m.id)).toEqual(['encoder.blocks.0', 'encoder.blocks.1']);
    expect(modules[0]?.sites).toBeGreaterThan(5);
    expect(totalModules).toBeGreaterThan(4);
  });
});

describe('memory', () => {
  it('is written where the run stands: the value, its bytes and what comes of it are others, until it is undone', async () => {
    const client = await begin();
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.1.mlp_out' }] });
    await client.until('continue');
    const memoryReference = 'blocks.1.mlp_out';
    const data = Buffer.from(Float32Array.of(1.5, 2.5).buffer).toString('base64');
    expect(await client.ask('writeMemory', { memoryReference, offset: 8, data })).toEqual({
      offset: 8,
      bytesWritten: 8,
    });
    expect((await client.event('memory')).body).toEqual({ memoryReference, offset: 8, count: 8 });
    expect((await client.event('invalidated')).body).toMatchObject({ areas: ['variables', 'stacks'] });
    const read = await client.ask<{ data: string; address: string }>('readMemory', {
      memoryReference,
      offset: 8,
      count: 8,
    });
    expect(read).toEqual({ address: '8', data });
    const asked = { expression: 'blocks.1.mlp_out[position=0, model=2..3]', context: 'watch' };
    expect(await client.ask('evaluate', asked)).toMatchObject({ result: expect.stringContaining('min 1.5') as string });
    await client.ask('evaluate', { expression: 'undo', context: 'repl' });
    const before = await client.ask<{ data: string }>('readMemory', { memoryReference, offset: 8, count: 8 });
    expect(before.data).not.toBe(data);
  });

  it('half a number keeps its other bytes; beyond the end, too much, and what is no base64 are refused', async () => {
    const client = await begin();
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'blocks.0.mlp_out' }] });
    await client.until('continue');
    const memoryReference = 'blocks.0.mlp_out';
    const whole = await client.ask<{ data: string }>('readMemory', { memoryReference, count: 8 });
    const bytes = Buffer.from(whole.data, 'base64');
    bytes[5] = (bytes[5] ?? 0) ^ 0x40;
    const data = bytes.subarray(5, 6).toString('base64');
    await client.ask('writeMemory', { memoryReference, offset: 5, data });
    const after = await client.ask<{ data: string }>('readMemory', { memoryReference, count: 8 });
    expect(Buffer.from(after.data, 'base64').equals(bytes)).toBe(true);
    const size = 4 * 32 * 4;
    const refused = async (given: object): Promise<boolean> =>
      !(await client.request('writeMemory', { memoryReference, ...given })).success;
    expect(await refused({ offset: size - 2, data: 'AAAAAA==' })).toBe(true);
    expect(await refused({ data: Buffer.alloc(65 * 4).toString('base64') })).toBe(true);
    expect(await refused({ data: '!!' })).toBe(true);
    expect(await refused({ memoryReference: 'blocks.1.attn.pattern', data: 'AAAAAA==' })).toBe(true);
    expect(await refused({ memoryReference: '=1+1', data: 'AAAAAA==' })).toBe(true);
  });
});
