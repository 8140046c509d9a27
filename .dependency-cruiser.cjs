/**
 * The layers of docs/architecture.md as rules. A folder imports lower rows only, through their index; a row never
 * imports itself. Rows 0 to 6 also run in a browser, so Node stands behind `*.node.ts` there.
 */

/** Row by row, lowest first. */
const rows = [
  ['base'],
  ['tensor', 'language'],
  ['protocol', 'graph', 'formats'],
  ['models', 'engine', 'client'],
  ['debugger'],
  ['analyses', 'profile'],
  ['diagnosis'],
  ['service'],
  ['server', 'dap', 'mcp'],
  ['cli'], // its verbs start the other faces
];
const all = rows.flat();
const any = (folders) => `^src/(${folders.join('|')})/`;

const tests = '\\.test\\.ts$';
const nodeFiles = '\\.node\\.ts$';
/** Where Node may be used besides `*.node.ts`. */
const nodeFolders = '^src/(cli|server|dap|mcp|service/host)/';
/** The doors of a folder: `index.ts` runs anywhere, `index.node.ts` in Node only, `index.browser.ts` in a browser only. */
const doors =
  '^src/([^/]+|(engine|analyses)/[^/]+|service/host)/index(\\.node|\\.browser)?\\.ts$|^src/engine/backend\\.ts$';

const rowRules = rows.flatMap((row, number) =>
  row.map((folder) => {
    const allowed = [folder, ...rows.slice(0, number).flat()];
    return {
      name: `layer-${folder}`,
      comment: `src/${folder} is in row ${number}: it imports lower rows only, never its own row.`,
      severity: 'error',
      from: { path: any([folder]) },
      to: { path: '^src/', pathNot: [any(allowed), '^src/index\\.ts$'] },
    };
  }),
);

module.exports = {
  forbidden: [
    ...rowRules,
    {
      name: 'layer-unknown-folder',
      comment:
        'Every folder of src has a row: add it to the table in .dependency-cruiser.cjs and docs/architecture.md.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: [any(all), '^src/web/'] },
      to: {},
    },
    {
      name: 'layer-web',
      comment:
        'src/web is in row 4: the page knows base, tensor, language, protocol and the client, nothing of the engine.',
      severity: 'error',
      from: { path: '^(src/)?web/' },
      to: { path: '^src/', pathNot: [any(['base', 'tensor', 'language', 'protocol', 'client']), '^src/web/'] },
    },
    {
      name: 'index-only',
      comment: 'Another folder is imported through its index.ts or index.node.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', doors] },
    },
    {
      name: 'index-only-from-outside',
      comment: 'The library entry, the benchmarks and the examples use the package as a user would.',
      severity: 'error',
      from: { path: '^(src/index(\\.node|\\.browser)?\\.ts$|examples/)' },
      to: { path: '^src/[^/]+/', pathNot: [doors] },
    },
    {
      name: 'no-circular',
      comment: 'A cycle, of types too, means that two files are one concept or that a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'onnxruntime-behind-its-engine',
      comment: 'onnxruntime is known to src/engine/onnxruntime alone.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/engine/onnxruntime/' },
      to: { path: '(^|/)onnxruntime-(node|web|common)(/|$)' },
    },
    {
      name: 'node-behind-a-door',
      comment: 'node:* is for row 8, service/host and *.node.ts; rows 0 to 6 also run in a browser.',
      severity: 'error',
      from: { path: '^src/', pathNot: [nodeFolders, nodeFiles, tests] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'node-file-behind-a-door',
      comment: 'Only *.node.ts files, rows 7 and 8 and tests import a *.node.ts file; an index.ts never does.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(service|cli|server|dap|mcp)/', '^src/index\\.ts$', nodeFiles, tests] },
      to: { path: nodeFiles },
    },
    {
      name: 'node-file-not-from-index',
      comment: 'index.ts runs in a browser: what needs Node is exported by index.node.ts.',
      severity: 'error',
      from: { path: '^src/(base|tensor|language|protocol|graph|formats|models|engine|client)/.*index\\.ts$' },
      to: { path: nodeFiles },
    },
    {
      name: 'engines-apart',
      comment: 'The two engines are each the other’s check: they share the interface and nothing else.',
      severity: 'error',
      from: { path: '^src/engine/(reference|onnxruntime)/', pathNot: tests },
      to: { path: '^src/engine/(reference|onnxruntime)/', pathNot: '^src/engine/$1/' },
    },
    {
      name: 'interface-knows-no-implementation',
      comment: 'An interface file never imports its implementations: src/service joins them.',
      severity: 'error',
      from: { path: '^src/engine/[^/]+\\.ts$', pathNot: [tests, '/index(\\.node)?\\.ts$'] },
      to: { path: '^src/engine/(reference|onnxruntime)/' },
    },
    {
      name: 'analyses-apart',
      comment: 'An analysis imports no other, except analyses/sweep.',
      severity: 'error',
      from: { path: '^src/analyses/([^/]+)/' },
      to: { path: '^src/analyses/[^/]+/', pathNot: ['^src/analyses/$1/', '^src/analyses/sweep/index(\\.node)?\\.ts$'] },
    },
    {
      name: 'no-test-imported',
      comment: 'Nothing imports a test.',
      severity: 'error',
      from: {},
      to: { path: tests },
    },
    {
      name: 'tests-use-test-tools',
      comment: 'What ships uses no development dependency.',
      severity: 'error',
      from: { path: '^src/', pathNot: [tests, '/testing/', '^src/web/'] }, // the page is bundled with what it uses
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.venv|coverage)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.json'],
    },
  },
};
