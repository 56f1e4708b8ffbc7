// How the gates that tools keep are broken: types, lint, format, dead code, the package, generated references. Shape: see gate-breaks.mjs.

export const startOf = (file, text) => [file, /^/, text];
export const endOf = (file, text) => [file, /$(?![\s\S])/, text];

export const tsc = ['tsc', '--noEmit', '-p', 'tsconfig.json'];
const references = ['node', 'scripts/generate.mjs', '--check'];

export const toolBreaks = [
  {
    name: 'type-error',
    gate: 'types',
    how: 'a number where a text belongs',
    edits: [endOf('src/plan/effect.ts', '\nexport const wrong: string = 1;\n')],
    command: tsc,
    says: /src\/plan\/effect\.ts.*TS2322/,
  },
  {
    name: 'lint-error',
    gate: 'lint',
    how: 'a promise that nobody waits for',
    edits: [endOf('src/plan/effect.ts', '\nexport function forget(): void {\n  Promise.resolve(1);\n}\n')],
    command: ['oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'scripts', 'bin'],
    says: /no-floating-promises/,
  },
  {
    name: 'unformatted',
    gate: 'format',
    how: 'two blanks where one belongs',
    edits: [endOf('src/plan/effect.ts', '\nexport  const  wide   = 1;\n')],
    command: ['oxfmt', '--check', 'src', 'bin'],
    says: /src\/plan\/effect\.ts/,
  },
  {
    name: 'unused-export',
    gate: 'dead code',
    how: 'an export that nobody imports',
    edits: [endOf('src/plan/effect.ts', '\nexport const unusedByAnyone = 1;\n')],
    command: ['knip'],
    says: /unusedByAnyone/,
  },
  {
    name: 'package-without-program',
    gate: 'package',
    how: 'package.json names a program that is not there',
    edits: [['package.json', /"trireme": "bin\/run\.js"/, '"trireme": "bin/gone.js"']],
    command: ['publint', '--strict'],
    says: /gone\.js/,
  },
  {
    name: 'stale-exit-codes',
    gate: 'generated references',
    how: 'docs/reference/exit-codes.md edited by hand',
    edits: [['docs/reference/exit-codes.md', '# Exit codes', '# Codes']],
    command: references,
    says: /Stale: docs\/reference\/exit-codes\.md/,
  },
  {
    name: 'stale-commands',
    gate: 'generated references',
    how: "a flag's summary changed, and not its reference",
    edits: [['src/commands/plan.ts', 'End with 9 when there is something to do.', 'End with 9 when something is to be done.']],
    command: references,
    says: /Stale: docs\/reference\/commands\.md/,
  },
  {
    name: 'stale-schema',
    gate: 'generated references',
    how: 'the JSON Schema lacks a line of the zod schema',
    edits: [['schema/trireme.v1alpha1.json', /"description": "A secret[^\n]*\n/, '"description": "Old.",\n']],
    command: references,
    says: /Stale: schema\/trireme\.v1alpha1\.json/,
  },
];
