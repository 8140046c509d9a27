import { describe, expect, it } from 'vitest';
import { problemsOf, requestProblemsOf } from './schema.js';

const event = (name: string, body?: object) => problemsOf({ seq: 1, type: 'event', event: name, body } as never, []);
const asked = { seq: 7, type: 'request', command: 'threads' };
const answer = (message: object) =>
  problemsOf({ seq: 2, type: 'response', request_seq: 7, success: true, command: 'threads', ...message } as never, [
    asked,
  ]);

describe('the check of messages', () => {
  it('lets through what the protocol allows', () => {
    expect(event('stopped', { reason: 'step', threadId: 1, hitBreakpointIds: [1] })).toEqual([]);
    expect(event('initialized')).toEqual([]);
    expect(answer({ body: { threads: [{ id: 1, name: 'x' }] } })).toEqual([]);
  });

  it.each([
    ['a field that is missing', () => event('stopped', { threadId: 1 })],
    ['a field of another type', () => event('stopped', { reason: 'step', threadId: '1' })],
    ['an item of another type', () => event('stopped', { reason: 'step', hitBreakpointIds: ['1'] })],
    ['a field that is unknown', () => event('stopped', { reason: 'step', color: 'red' })],
    ['a number that should be whole', () => event('stopped', { reason: 'step', threadId: 1.5 })],
    [
      'a reference below zero',
      () =>
        problemsOf(
          {
            seq: 2,
            type: 'response',
            request_seq: 7,
            success: true,
            command: 'evaluate',
            body: { result: '', variablesReference: -1 },
          } as never,
          [asked],
        ),
    ],
    ['an event that is unknown', () => event('sneezed', {})],
    [
      'an answer to nothing',
      () => problemsOf({ seq: 1, type: 'response', request_seq: 3, success: true, command: 'next' } as never, []),
    ],
    ['an answer without its body', () => answer({})],
    ['a field deep inside', () => answer({ body: { threads: [{ id: 1 }] } })],
    ['an error without its words', () => answer({ success: false, body: { error: { id: 'x' } } })],
  ])('finds %s', (_, problems) => {
    expect(problems().length).toBeGreaterThan(0);
  });

  it('looks at requests, too', () => {
    const request = (command: string, given: object) =>
      requestProblemsOf({ seq: 1, type: 'request', command, arguments: given });
    expect(request('scopes', { frameId: 1 })).toEqual([]);
    expect(request('launch', { model: 'm' })).toEqual([]);
    expect(request('scopes', { frameId: '1' })).not.toEqual([]);
    expect(request('scopes', {})).not.toEqual([]);
    expect(request('sneeze', {})).not.toEqual([]);
  });
});
