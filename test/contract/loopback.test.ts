// Unit, integration and contract suites speak to loopback only. Held twice: by reading what the tests and the code listen on, and by a guard that
// refuses every other connection while a suite runs (test/support/loopback-guard.ts, loaded by vitest.config.ts).
import {connect} from 'node:net';
import {describe, expect, it} from 'vitest';
import {readSources, withoutComments, type SourceFile} from './sources.ts';

const suites = ['test/unit', 'test/integration', 'test/contract', 'test/support']
  .flatMap((folder) => readSources(folder))
  .filter((file) => !/^test\/support\/(bed|public-places)\.ts$/.test(file.path));

/** A bare `listen()` is a method of our own classes, which are read too. `listen(0)`, `listen({port: 0})` without a host, and `0.0.0.0` bind every interface of the computer. */
function findOpenListeners(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({path, text}) =>
    [...withoutComments(text).matchAll(/\.listen\(([^()]*(?:\([^()]*\)[^()]*)*)\)/g)].flatMap(([call, args = '']) => {
      const isPath = /socket|path|join/i.test(args) && !/\bport\b/i.test(args);
      const isOwn = args.trim() === '';
      const isLoopback = /127\.0\.0\.1|::1|localhost|\bhost\b|\baddress\b/.test(args);
      return isOwn || isPath || isLoopback ? [] : [`${path}: ${call} listens on every interface; name 127.0.0.1.`];
    }),
  );
}

describe('tests', () => {
  it('listen on loopback only', () => {
    expect(suites.length).toBeGreaterThan(50);
    expect(findOpenListeners([...suites, ...readSources('src/sandbox')].filter((file) => file.path !== 'test/contract/loopback.test.ts'))).toEqual([]);
  });

  it('are kept from connecting anywhere else', async () => {
    const error = await new Promise<Error>((resolve, reject) => {
      try {
        connect(9, '192.0.2.1')
          .on('error', resolve)
          .on('connect', () => reject(new Error('connected')));
      } catch (thrown) {
        resolve(thrown as Error);
      }
    });
    expect(error.message).toContain('loopback only');
  });
});

it('the gate itself sees a server that listens on every interface', () => {
  const file = (text: string) => [{path: 'test/unit/x.test.ts', text}];
  for (const text of ['server.listen(0)', 'server.listen({port: 0})', "server.listen(0, '0.0.0.0')"]) expect(findOpenListeners(file(text))).toHaveLength(1);
  for (const text of ["server.listen(0, '127.0.0.1')", "server.listen({port: 0, host: '127.0.0.1'})", 'server.listen(socketPath)'])
    expect(findOpenListeners(file(text))).toEqual([]);
});
