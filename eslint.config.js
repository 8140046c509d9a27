import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Row 8, the host and `*.node.ts` may use Node; everything else in `src/` also runs in a browser. */
const nodeOnly = ['src/{cli,server,dap,mcp}/**', 'src/service/host/**', '**/*.node.ts', '**/*.test.ts'];
const tests = ['**/*.test.ts', 'test/**', 'bench/**'];

const forbidden = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
  { selector: 'TSModuleDeclaration[kind!="global"]', message: 'Use a module.' },
];

/** Three positional parameters at most; a constructor is exempt, since its parameters stand beside the fields. */
const manyParameters = [
  ':matches(FunctionDeclaration, ArrowFunctionExpression)[params.length>3]',
  'MethodDefinition[kind!="constructor"] > FunctionExpression[params.length>3]',
].map((selector) => ({ selector, message: 'More than three positional parameters: take an options object.' }));

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', 'coverage/', '.venv/', 'bench/models/', 'src/**/generated/', '**/*.cjs'] },
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.js'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-eval': 'error',
      'no-implied-eval': 'off', // the typed one of strictTypeChecked stands in
      'prefer-const': 'error',
      'no-var': 'error',
      eqeqeq: ['error', 'always'],
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 40 }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // `while (true)` with a return inside is how a scanner reads.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // An interface asks for a promise; an implementation that needs no `await` is still right.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/unified-signatures': 'off',
    },
  },
  { files: ['**/*.{ts,tsx}'], rules: { 'no-restricted-syntax': ['error', ...forbidden] } },
  {
    files: ['**/*.{ts,tsx}'],
    ignores: tests,
    rules: { 'no-restricted-syntax': ['error', ...forbidden, ...manyParameters] },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: nodeOnly,
    rules: {
      'no-restricted-globals': [
        'error',
        ...['Buffer', 'process', '__dirname', '__filename', 'require', 'setImmediate'],
      ],
    },
  },
  // A component is a function, and most of it is markup.
  { files: ['**/*.tsx'], rules: { 'max-lines-per-function': ['error', { max: 60 }] } },
  {
    files: tests,
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['scripts/**', 'bin/**', '*.config.ts', '*.config.js'],
    rules: { '@typescript-eslint/no-unnecessary-condition': 'off' },
  },
);
