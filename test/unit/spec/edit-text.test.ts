import {parseAllDocuments} from 'yaml';
import {describe, expect, it} from 'vitest';
import type {TriremeError} from '../../../src/kernel/errors.ts';
import {editText, pathText, type Edit} from '../../../src/spec/edit-text.ts';

const target = {kind: 'Cluster', name: 'web', file: 'trireme.yaml'};
const replicas = (value: number): Edit => ({path: ['spec', 'controller', 'pools', 0, 'replicas'], value, after: ['class', 'name']});
const controlPlane = (value: number): Edit => ({path: ['spec', 'controller', 'controlPlane', 'replicas'], value, after: ['class']});
const version = (value: string): Edit => ({path: ['spec', 'kubernetes', 'version'], value});

const edit = (text: string, ...edits: readonly Edit[]) => editText(text, edits, target);

/** The lines that differ, as `-old` and `+new`; everything else is byte for byte the same. */
function changed(before: string, after: string): readonly string[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return [...a.slice(start, a.length - end).map((line) => `-${line}`), ...b.slice(start, b.length - end).map((line) => `+${line}`)];
}

function refusal(work: () => unknown): TriremeError {
  try {
    work();
  } catch (error) {
    return error as TriremeError;
  }
  throw new Error('it was not refused');
}

const head = 'apiVersion: trireme.dev/v1alpha1\nkind: Cluster\nmetadata: {name: web}\nspec:\n';

const commented = `# The shop's cluster. Ask Ada before you touch it.
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata:
  name: web   # as in DNS

spec:
  mode: controller
  kubernetes: {distribution: kubeadm,   version: v1.35.4}  # see ticket 42
  controller:
    # the class of the platform team
    class:   in-memory
    controlPlane:
        # three, for their vote
        replicas:    1     # TODO: three
        labels: { tier:  gold }
    pools:
    # workers of the shop
    -   name: md-0
        class: default-worker # small ones

        replicas: 3
    # and these are for batch work
    - {name: md-1, class: default-worker, replicas: 2,} # cheap
# the end
`;

describe('editing one value of a file', () => {
  it('replaces a number and leaves the spaces and the comment beside it', () => {
    expect(changed(commented, edit(commented, controlPlane(3)))).toEqual([
      '-        replicas:    1     # TODO: three',
      '+        replicas:    3     # TODO: three',
    ]);
  });

  it('replaces a value of a flow map and leaves its odd spaces', () => {
    expect(changed(commented, edit(commented, version('v1.36.3')))).toEqual([
      '-  kubernetes: {distribution: kubeadm,   version: v1.35.4}  # see ticket 42',
      '+  kubernetes: {distribution: kubeadm,   version: v1.36.3}  # see ticket 42',
    ]);
  });

  it('replaces a value in a list whose dashes stand under their key', () => {
    expect(changed(commented, edit(commented, replicas(5)))).toEqual(['-        replicas: 3', '+        replicas: 5']);
  });

  it('replaces a value in a flow map within a list, with a comma at its end', () => {
    const second: Edit = {path: ['spec', 'controller', 'pools', 1, 'replicas'], value: 0};
    expect(changed(commented, edit(commented, second))).toEqual([
      '-    - {name: md-1, class: default-worker, replicas: 2,} # cheap',
      '+    - {name: md-1, class: default-worker, replicas: 0,} # cheap',
    ]);
  });

  it('makes several edits at once', () => {
    const after = edit(commented, controlPlane(3), replicas(5), version('v1.36.3'));
    const count = (text: string) => text.split('\n').filter((line) => line.includes('#')).length;
    expect(count(after)).toBe(count(commented));
    expect(after.length).toBe(commented.length);
  });

  it('changes nothing when the value is there already', () => {
    expect(edit(commented, controlPlane(1), version('v1.35.4'))).toBe(commented);
  });

  it.each([
    ['double quotes', '"v1.35.4"', '"v1.36.3"'],
    ['single quotes', "'v1.35.4'", "'v1.36.3'"],
    ['no quotes', 'v1.35.4', 'v1.36.3'],
    ['a text that goes on over lines', 'v1.35\n      .4', 'v1.36.3'],
  ])('keeps %s', (_how, before, after) => {
    const text = `${head}  kubernetes:\n    version: ${before} # why\n`;
    expect(edit(text, version('v1.36.3'))).toBe(`${head}  kubernetes:\n    version: ${after} # why\n`);
  });

  it('keeps line ends of Windows, also in lines that are new', () => {
    const text = `${head}  controller:\n    pools:\n      - name: a # first\n        class: c # second\n`.replaceAll('\n', '\r\n');
    const after = edit(text, replicas(2));
    expect(after).toBe(`${head}  controller:\n    pools:\n      - name: a # first\n        class: c # second\n        replicas: 2\n`.replaceAll('\n', '\r\n'));
  });

  it('keeps a byte order mark', () => {
    const text = `\uFEFF${head}  kubernetes: {version: v1.35.4}\n`;
    expect(edit(text, version('v1.36.3'))).toBe(`\uFEFF${head}  kubernetes: {version: v1.36.3}\n`);
  });

  it('keeps a file without a newline at its end', () => {
    expect(edit(`${head}  kubernetes: {version: v1.35.4}`, version('v1.36.3'))).toBe(`${head}  kubernetes: {version: v1.36.3}`);
    expect(edit(`${head}  controller:\n    pools:\n    - name: a`, replicas(2))).toBe(`${head}  controller:\n    pools:\n    - name: a\n      replicas: 2`);
  });

  it('edits the document that is meant, among several', () => {
    const other = commented.replace('name: web', 'name: shop');
    const text = `%YAML 1.2\n---\n${other}---\n# second\n${commented}...\n---\nkind: ClusterProfile\nmetadata: {name: web}\n`;
    const after = edit(text, controlPlane(3));
    expect(changed(text, after)).toEqual(['-        replicas:    1     # TODO: three', '+        replicas:    3     # TODO: three']);
    expect(after.indexOf('replicas:    3')).toBeGreaterThan(after.indexOf('# second'));
  });
});

describe('putting a value where none is', () => {
  it('puts it behind the key that it belongs to, and before what follows', () => {
    const text = `${head}  controller:\n    pools:\n      - name: a\n        class: c # small\n        # labels of all\n        labels: {x: y}\n      # next\n      - name: b\n        class: c\n`;
    expect(changed(text, edit(text, replicas(4)))).toEqual(['+        replicas: 4']);
    expect(edit(text, replicas(4))).toContain('class: c # small\n        replicas: 4\n        # labels of all\n');
  });

  it('puts it behind a nested last value, with its comment', () => {
    const text = `${head}  controller:\n    pools:\n      - labels:\n          deep:\n            - x: 1\n              y: 2 # two\n    variables: {}\n`;
    expect(edit(text, replicas(4))).toContain('              y: 2 # two\n        replicas: 4\n    variables: {}\n');
  });

  it('puts it behind a block of lines', () => {
    const text = `${head}  controller:\n    pools:\n      - annotations:\n          note: |\n            one\n            two\n\n  mode: controller\n`;
    expect(edit(text, replicas(4))).toBe(
      `${head}  controller:\n    pools:\n      - annotations:\n          note: |\n            one\n            two\n        replicas: 4\n\n  mode: controller\n`,
    );
  });

  it('puts it into a flow map', () => {
    const text = `${head}  controller: {class: c, pools: [{name: a, class: c, labels: {x: y}}]} # one line\n`;
    expect(edit(text, replicas(4))).toBe(`${head}  controller: {class: c, pools: [{name: a, class: c, replicas: 4, labels: {x: y}}]} # one line\n`);
  });

  it('puts it into a flow map over several lines', () => {
    const text = `${head}  controller:\n    pools: [\n      {\n        name: a, # first\n        class: c # second\n      },\n    ]\n`;
    const after = edit(text, replicas(4));
    expect(after).toContain('# first');
    expect(after).toContain('# second');
    expect(parseAllDocuments(after).map((one) => one.toJS() as {spec: unknown})[0]?.spec).toMatchObject({controller: {pools: [{replicas: 4}]}});
  });

  it.each([
    ['an empty map', 'controlPlane: {} # default', 'controlPlane: {replicas: 3} # default'],
    ['nothing', 'controlPlane: # default', 'controlPlane: # default\n      replicas: 3'],
    ['a key with nothing', 'controlPlane:\n      replicas: # how many?', 'controlPlane:\n      replicas: 3 # how many?'],
  ])('fills %s', (_what, before, after) => {
    const text = `${head}  controller:\n    ${before}\n    class: c\n`;
    expect(edit(text, controlPlane(3))).toBe(`${head}  controller:\n    ${after}\n    class: c\n`);
  });

  it('makes the map that is missing, indented as the file is', () => {
    const text = 'kind: Cluster\nmetadata:\n    name: web\nspec:\n    controller:\n        class: c # ours\n        pools: []\n';
    expect(edit(text, controlPlane(3))).toBe(
      'kind: Cluster\nmetadata:\n    name: web\nspec:\n    controller:\n        class: c # ours\n        controlPlane:\n            replicas: 3\n        pools: []\n',
    );
  });

  it('makes the map that is missing in a flow map', () => {
    const text = `${head}  controller: {class: c}\n`;
    expect(edit(text, controlPlane(3))).toBe(`${head}  controller: {class: c, controlPlane: {replicas: 3}}\n`);
  });
});

describe('what is refused, and nothing changed', () => {
  it.each([
    ['an alias', 'kubernetes: {version: *v}\n  other: 1', 'alias'],
    ['an anchor', 'kubernetes: {version: &v v1.35.4}', 'anchor &v'],
    ['a value within an anchor', 'kubernetes: &k {version: v1.35.4}', 'anchor &k'],
    ['a block of lines', 'kubernetes:\n    version: >-\n      v1.35.4', 'block of lines'],
    ['a map', 'kubernetes: {version: {a: 1}}', 'a map or a list'],
    ['a value on the way', 'kubernetes: v1.35.4', 'a value stands where a map is needed'],
  ])('refuses %s, and says what to write by hand', (_what, yaml, why) => {
    const text = `${head}  mode: controller\n  name: &v v1\n  ${yaml}\n`.replace('&v v1\n', yaml.includes('*v') ? '&v v1.35.4\n' : 'x\n');
    const error = refusal(() => edit(text, version('v1.36.3')));
    expect(error.code).toBe('file.not-editable');
    expect(error.message).toContain(why);
    expect(error.hints[0]).toBe('Write it by hand: spec.kubernetes.version: v1.36.3');
  });

  it('refuses a value that comes by a merge', () => {
    const text = `base: &b {replicas: 1}\n${head}  controller:\n    controlPlane:\n      <<: *b\n`;
    expect(refusal(() => edit(text, controlPlane(3))).message).toContain('merged');
  });

  it('refuses a list entry that is not there', () => {
    expect(refusal(() => edit(`${head}  controller: {pools: []}\n`, replicas(1))).message).toContain('no such entry');
  });

  it('refuses a file that cannot be read', () => {
    expect(refusal(() => edit(`${head}  controller: {pools: [}\n`, replicas(1))).code).toBe('file.syntax');
  });

  it('refuses when no document, or more than one, is meant', () => {
    expect(refusal(() => edit('kind: Cluster\nmetadata: {name: other}\n', replicas(1))).code).toBe('cluster.not-found');
    expect(refusal(() => edit(`${head}---\n${head}`, replicas(1))).message).toContain('more than one');
  });

  it('refuses a tag that would turn the value into another', () => {
    const text = `${head}  controller: {controlPlane: {replicas: !!str 1}}\n`;
    expect(refusal(() => edit(text, controlPlane(3))).code).toBe('file.not-editable');
  });
});

interface Shape {
  readonly spec: {
    readonly kubernetes: {version: string};
    readonly controller: {controlPlane?: object; readonly pools: object[]};
  };
}

describe('any shape of the same file', () => {
  // every way to write the parts, in every combination: the result says what was wanted, and every comment is still there
  const kubernetes = ['kubernetes: {version: v1.35.4} # k', 'kubernetes: # k\n    version: "v1.35.4"', "? kubernetes\n  : {version: 'v1.35.4'} # k"];
  const planes = ['controlPlane: {replicas: 1} # c', 'controlPlane: # c\n      replicas: 1', '# c\n    controlPlane: {}', '# c'];
  const pools = [
    'pools: # p\n    - name: a\n      class: x\n    - {name: b, class: x, replicas: 1}',
    'pools: [{name: a, class: x}, {name: b}] # p',
    'pools:\n      # p\n      - class: x # q\n        name: a\n        replicas: 7 # r\n\n      # between\n      - name: b\n',
    'pools:\n      - # p\n        name: a\n        taints: []\n      - name: b',
  ];
  const shapes = kubernetes.flatMap((k) => planes.flatMap((c) => pools.flatMap((p) => ['\n', '\r\n'].map((newline) => ({k, c, p, newline})))));

  it.each(shapes)('%#', ({k, c, p, newline}) => {
    const text = `# top\n${head}  ${k}\n  controller:\n    class: x\n    ${c}\n    ${p}\n# bottom\n`.replaceAll('\n', newline);
    const after = edit(text, version('v1.36.3'), controlPlane(3), replicas(4));
    const comments = (content: string) => content.match(/#[^\r\n]*/g);
    expect(comments(after)).toEqual(comments(text));
    const [before, now] = [text, after].map((content) => parseAllDocuments(content)[0]?.toJS() as Shape);
    if (before === undefined) throw new Error('the text has no document');
    before.spec.kubernetes.version = 'v1.36.3';
    before.spec.controller.controlPlane = {...before.spec.controller.controlPlane, replicas: 3};
    before.spec.controller.pools[0] = {...before.spec.controller.pools[0], replicas: 4};
    expect(now).toEqual(before);
    // no line went that isn't one of the three
    expect(text.split(newline).filter((line) => !after.split(newline).includes(line)).length).toBeLessThanOrEqual(3);
  });
});

it('writes a path as people do', () => {
  expect(pathText(['spec', 'controller', 'pools', 0, 'replicas'])).toBe('spec.controller.pools[0].replicas');
});
