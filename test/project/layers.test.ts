import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/root.js';

/** [file, what it imports, the rule that must say no] */
const forbidden = [
  ['src/tensor/up.ts', '../graph/index.js', 'layer-tensor'],
  ['src/graph/sideways.ts', '../formats/index.js', 'layer-graph'],
  ['src/models/sideways.ts', '../engine/index.js', 'layer-models'],
  ['src/graph/inside.ts', '../tensor/shape.js', 'index-only'],
  ['src/somewhere/new.ts', '../base/index.js', 'layer-unknown-folder'],
  ['src/web/page.ts', '../engine/index.js', 'layer-web'],
  ['src/formats/file.ts', 'node:fs', 'node-behind-a-door'],
  ['src/service/run.ts', 'node:fs', 'node-behind-a-door'],
  ['src/formats/index.ts', './disk.node.js', 'node-file-behind-a-door'],
  ['src/debugger/target.ts', '../formats/index.node.js', 'node-file-behind-a-door'],
  ['src/graph/run.ts', 'onnxruntime-node', 'onnxruntime-behind-its-engine'],
  ['src/engine/reference/other.ts', '../onnxruntime/index.js', 'engines-apart'],
  ['src/engine/backend.ts', './reference/index.js', 'interface-knows-no-implementation'],
  ['src/analyses/lens/lens.ts', '../heads/index.js', 'analyses-apart'],
  ['src/base/ring.ts', './ring-back.js', 'no-circular'],
  ['src/base/uses-test.ts', './base.test.js', 'no-test-imported'],
  ['src/base/lost.ts', './nowhere.js', 'resolvable'],
] as const;

/** [file, what it imports]: all of it as it should be */
const allowed = [
  ['src/graph/down.ts', '../tensor/index.js'],
  ['src/engine/run.ts', '../graph/index.js'],
  ['src/engine/onnxruntime/session.ts', '../backend.js'],
  ['src/engine/onnxruntime/native.ts', 'onnxruntime-node'],
  ['src/formats/disk.node.ts', 'node:fs'],
  ['src/formats/index.node.ts', './disk.node.js'],
  ['src/service/open.ts', '../formats/index.node.js'],
  ['src/service/engines.ts', '../engine/reference/index.js'],
  ['src/service/host/host.ts', 'node:worker_threads'],
  ['src/cli/print.ts', 'node:fs'],
  ['src/analyses/heads/heads.ts', '../sweep/index.js'],
  ['src/base/base.test.ts', 'node:fs'],
] as const;

const targets = ['base', 'tensor', 'graph', 'formats', 'engine', 'engine/reference', 'engine/onnxruntime']
  .concat(['analyses/heads', 'analyses/sweep', 'models', 'service'])
  .map((folder) => `src/${folder}/index.ts`)
  .concat(['src/tensor/shape.ts']);

let folder = '';
let violations: string[] = [];

const put = (file: string, text: string): void => {
  mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
};

/** A cycle is reported once, at one of its files. */
interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
  readonly cycle?: readonly { readonly name: string }[];
}
interface Report {
  readonly summary: { readonly violations: readonly Violation[] };
}

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-layers-'));
  put('tsconfig.json', '{ "compilerOptions": { "module": "nodenext" }, "include": ["src"] }');
  for (const file of targets) put(file, 'export const x = 1;\n');
  put('src/base/ring-back.ts', "export * from './ring.js';\n");
  for (const [file, to] of [...allowed, ...forbidden]) put(file, `export * from '${to}';\n`);
  const tool = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = path.join(root, '.dependency-cruiser.cjs');
  const ran = spawnSync(process.execPath, [tool, '--config', config, '-T', 'json', 'src'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const report = JSON.parse(ran.stdout) as Report;
  violations = report.summary.violations.flatMap(({ from, rule, cycle }) =>
    [from, ...(cycle ?? []).map((file) => file.name)].map((file) => `${file} ${rule.name}`),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the rules of the layers', () => {
  it.each(forbidden)('%s may not import %s (%s)', (file, _to, rule) => {
    expect(violations).toContain(`${file} ${rule}`);
  });

  it.each(allowed)('%s may import %s', (file) => {
    // Packages are not installed beside the fixture: that they do not resolve says nothing of layers.
    expect(violations.filter((line) => line.startsWith(`${file} `) && !line.endsWith(' resolvable'))).toEqual([]);
  });
});
