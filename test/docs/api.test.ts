/** docs/api.json is what the schemas say, and is of a piece. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiFile, apiText } from '../../scripts/api-description.js';
import { hostMethods } from '../../src/protocol/index.js';

interface Api {
  readonly asyncapi: string;
  readonly operations: Readonly<Record<string, { readonly summary: string }>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties?: object }>> };
}
const text = readFileSync(apiFile, 'utf8');
const api = JSON.parse(text) as Api;

/** What a JSON pointer leads to. */
const at = (pointer: string): unknown =>
  pointer
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], api);

describe('docs/api.json', () => {
  it('is current: else run `npx tsx scripts/api-description.ts`', () => {
    expect(text === apiText()).toBe(true);
  });

  it('has every method, with what each is for', () => {
    expect(Object.keys(api.operations).sort()).toEqual([...Object.keys(hostMethods), 'session'].sort());
    for (const { summary } of Object.values(api.operations)) expect(summary).not.toBe('');
  });

  it('names nothing that is not in it', () => {
    const refs = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, ref = '']) => ref);
    expect(refs.length).toBeGreaterThan(100);
    expect(refs.filter((ref) => at(ref) === undefined)).toEqual([]);
  });

  it('has the fields of what is asked, those with a default not required', () => {
    const { lensInput } = { lensInput: api.components.schemas['lensInput.input'] };
    expect(Object.keys(lensInput?.properties ?? {})).toEqual(
      expect.arrayContaining(['model', 'prompt', 'words', 'positions', 'edits']),
    );
    expect((lensInput as { required?: readonly string[] }).required ?? []).not.toContain('words');
  });
});
