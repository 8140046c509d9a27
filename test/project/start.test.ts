import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/root.js';

/** A clone as it is after an install whose `prepare` did not run. */
let clone = '';
const start = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(clone, 'bin/cutaway.js'), ...args], { encoding: 'utf8', cwd: tmpdir() });
const version = (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version;

beforeAll(() => {
  clone = mkdtempSync(path.join(tmpdir(), 'cutaway-start-'));
  for (const name of ['package.json', 'tsconfig.json', 'bin', 'scripts', 'src']) {
    cpSync(path.join(root, name), path.join(clone, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(clone, 'node_modules'), 'junction');
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

describe('bin/cutaway.js', () => {
  it('builds at the first start, tells it on stderr only, and runs', { timeout: 120_000 }, () => {
    const { stdout, stderr, status } = start('--version');
    expect([stdout.trim(), status]).toEqual([version, 0]);
    expect(stderr).toContain('building (first start)');
  });

  it('does not build again while the sources stay', () => {
    expect(start('--version').stderr).toBe('');
  });

  it('builds again after a source changed', { timeout: 120_000 }, () => {
    const later = new Date(Date.now() + 60_000);
    utimesSync(path.join(clone, 'src/cli/main.ts'), later, later);
    expect(start('--version').stderr).toContain('the sources changed');
  });

  it('passes the exit status on', { timeout: 120_000 }, () => {
    expect(start('no-such-verb').status).toBe(2);
  });

  it('says what to do when it cannot be built', () => {
    rmSync(path.join(clone, 'node_modules'));
    rmSync(path.join(clone, 'dist'), { recursive: true });
    const { stdout, stderr, status } = start('--version');
    expect([stdout, status]).toEqual(['', 3]);
    expect(stderr).toContain('npm ci');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
