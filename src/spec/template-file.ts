// A provider's cluster template that the file names: its text, and what the environment says of its variables.
import type {DesiredTemplate} from './desired.ts';
import {type Environment, labelOf, resolvePath} from './host-files.ts';
import type {Report} from './lint/report.ts';
import type {ClusterDocument} from './schema.ts';
import {largestManifest, readSource} from './source.ts';

/** `${NAME}`, `${NAME:=default}` and the like. */
const mention = /\$\{(?:#)?([A-Za-z_][A-Za-z0-9_]*)/g;

/** Reads `spec.controller.template.file`; one that isn't there is reported at its line. */
export async function readTemplateFile(cluster: ClusterDocument, report: Report, env: Environment): Promise<DesiredTemplate | undefined> {
  const path = cluster.spec.mode === 'controller' ? cluster.spec.controller?.template?.file : undefined;
  if (path === undefined) return undefined;
  const {source} = report.document;
  const read = await readSource(labelOf(path, source), resolvePath(path, source.folder, env), largestManifest);
  if ('complaint' in read) {
    report.error({
      path: ['spec', 'controller', 'template', 'file'],
      rule: read.complaint.rule === 'file.not-found' ? 'files.missing' : read.complaint.rule,
      message: `The template: ${read.complaint.message}`,
    });
    return undefined;
  }
  const {file, text} = read.source;
  return {file, text, environment: mentionedIn(text, env)};
}

/** Only what the template asks for: the rest of the environment is nobody's business. */
export function mentionedIn(text: string, env: Environment): Readonly<Record<string, string>> {
  const names = new Set([...text.matchAll(mention)].flatMap((match) => match[1] ?? []));
  return Object.fromEntries([...names].toSorted().flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
