// A reporter for vitest, beside its own: writes each failed test, or file that couldn't be run, with the first lines of why and of what differs, as a
// list of texts (JSON) into the file that TRIREME_FAILURES names. Vitest's JSON says that two objects differ, not where.
import {writeFileSync} from 'node:fs';
import {relative} from 'node:path';
import {stripVTControlCharacters} from 'node:util';

const short = (text, lines) =>
  stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => !/^\s+at .*(node_modules|node:internal)/.test(line))
    .slice(0, lines);

/** What is in an error, at most some 60 lines. */
function linesOf(errors) {
  return errors.slice(0, 3).flatMap((error) => [...short(error.stack ?? error.message ?? `${error}`, 20), ...(error.diff ? short(error.diff, 40) : [])]);
}

export default class FailuresReporter {
  onTestRunEnd(modules) {
    const failures = [...modules].flatMap((module) => {
      const file = relative(process.cwd(), module.moduleId);
      const told = (name, errors) => [`${file}${name}`, ...linesOf(errors)].join('\n      ');
      const suites = [module, ...module.children.allSuites()].filter((one) => one.errors().length > 0);
      return [
        ...suites.map((one) => told(one === module ? '' : `: ${one.fullName}`, one.errors())),
        ...[...module.children.allTests('failed')].map((test) => told(`: ${test.fullName}`, test.result().errors)),
      ];
    });
    writeFileSync(process.env.TRIREME_FAILURES, JSON.stringify(failures));
  }
}
