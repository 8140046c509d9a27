import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/base/index.js';
import { makeProgram } from '../src/models/index.js';
import { goldenFolder, goldenVariants } from './support/golden.js';

describe('a site', () => {
  it.each(goldenVariants())(
    'of %s is on the way to the scores, so that a change of it is one of what follows',
    (name) => {
      const config = JSON.parse(readFileSync(path.join(goldenFolder, name, 'config.json'), 'utf8')) as JsonObject;
      for (const { graph } of makeProgram(config, () => true).segments) {
        const read = new Set([...graph.nodes.flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.value)]);
        // what is named on request only is changed through what it is a part of
        const aside = graph.sites.filter((s) => !s.onRequest && !read.has(s.value)).map((s) => s.name);
        expect(aside).toEqual([]);
      }
    },
  );
});
