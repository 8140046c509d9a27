import path from 'node:path';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { root } from '../support/root.js';
import { problemsOf, requestProblemsOf } from './schema.js';

const entry = path.join(root, 'test/dap/adapter-process.ts');

/** The client of `@vscode/debugadapter-testsupport`, which keeps what passes through it. */
export class SupportClient extends DebugClient {
  readonly #all: DebugProtocol.ProtocolMessage[] = [];

  constructor() {
    super(process.execPath, entry, 'cutaway', {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '--import tsx' },
    });
    this.defaultTimeout = 60_000;
  }

  override async send(command: string, given?: unknown): Promise<never> {
    const response = await (super.send as (name: string, given: unknown) => Promise<DebugProtocol.Response>)(
      command,
      given,
    );
    const request = { seq: response.request_seq, type: 'request', command, arguments: given ?? {} };
    this.#all.push(request, response);
    return response as never;
  }

  override emit(name: string | symbol, ...given: readonly unknown[]): boolean {
    const [event] = given as readonly DebugProtocol.ProtocolMessage[];
    if (event?.type === 'event') this.#all.push(event);
    return super.emit(name, ...given);
  }

  /** Messages either way that the protocol does not allow. */
  problems(): readonly string[] {
    return this.#all.flatMap((message) =>
      message.type === 'request' ? requestProblemsOf(message as DebugProtocol.Request) : problemsOf(message, this.#all),
    );
  }
}
