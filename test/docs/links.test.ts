import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anchorsOf, brokenLinks } from '../../scripts/doc-links.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-links-'));
  mkdirSync(path.join(folder, 'docs'));
  writeFileSync(path.join(folder, 'docs/other.md'), '# Other\n\n## The `site` word, explained\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

const broken = (text: string) => {
  writeFileSync(path.join(folder, 'README.md'), text);
  return brokenLinks(folder).map(({ file, line, link, reason }) => `${file}:${line} ${link}: ${reason}`);
};

describe('brokenLinks', () => {
  it('is silent about links that lead somewhere, and about the outside', () => {
    const text = '# Top\n[a](docs/other.md#the-site-word-explained) [b](#top) [c](https://example.org/x) [d](docs)\n';
    expect(broken(text)).toEqual([]);
  });

  it('tells a missing file, with its line', () => {
    expect(broken('# Top\n\n[a](docs/none.md)\n')).toEqual(['README.md:3 docs/none.md: no such file']);
  });

  it('tells a missing heading, here and elsewhere', () => {
    expect(broken('[a](#nowhere) [b](docs/other.md#nowhere)\n')).toHaveLength(2);
  });

  it('tells a link that leaves the repository', () => {
    expect(broken('[a](../outside.md)\n')).toEqual(['README.md:1 ../outside.md: leaves the repository']);
  });

  it('reads reference links and images', () => {
    expect(broken('![a](x.png)\n\n[b]: y.md\n')).toHaveLength(2);
  });

  it('leaves code alone', () => {
    expect(broken('`[a](x.md)`\n\n```text\n[b](y.md)\n```\n')).toEqual([]);
  });
});

describe('anchorsOf', () => {
  it('numbers the second heading of a name', () => {
    expect([...anchorsOf('# One\n## One\n')]).toEqual(['one', 'one-1']);
  });
});
