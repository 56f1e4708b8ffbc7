// Settings that all clusters of a place have (where content comes from, proxy, mirrors, components), kept in a file of their own: a new cluster's file
// begins with them. Only what nobody is asked for.
import {stringify} from 'yaml';
import {z} from 'zod';
import {complaintsOf} from './check-schema.ts';
import {refuseFiles} from './complaint.ts';
import {resolvePath, type Environment} from './host-files.ts';
import type {FieldSchema} from './json-schema.ts';
import {agentSettings} from './schema/agent.ts';
import {clusterSpec} from './schema/cluster.ts';
import {readSource} from './source.ts';
import {parseYaml} from './yaml-text.ts';

const ofSpec = ['bundle', 'configuration', 'rollout'] as const;
const ofAgent = ['root', 'runtime', 'proxy', 'registries', 'drift', 'preflight'] as const;

const baseSchema = z.strictObject({
  spec: clusterSpec
    .pick({bundle: true, configuration: true, rollout: true})
    .extend({
      agent: agentSettings.pick({root: true, runtime: true, proxy: true, registries: true, drift: true, preflight: true}).optional(),
    })
    .describe('Parts of a cluster’s spec, as they shall stand in a new file.'),
});

type Part = Readonly<Record<string, unknown>>;

export interface BaseSettings {
  /** How the file was named. */
  readonly file: string;
  readonly spec: Part;
  readonly agent: Part;
}

/** Reads the file that the answer `base` names, relative to `folder`; undefined without one. Throws like the reader of trireme.yaml. */
export async function readBase(base: string | undefined, folder: string, env: Environment): Promise<BaseSettings | undefined> {
  if (base === undefined) return undefined;
  const read = await readSource(base, resolvePath(base, folder, env));
  if ('complaint' in read) throw refuseFiles([read.complaint]);
  const {documents, complaints} = parseYaml(read.source);
  const [document] = documents;
  if (complaints.length > 0 || document === undefined)
    throw refuseFiles(
      complaints.length > 0 ? complaints : [read.source.complain({offset: 0, length: 1}, {rule: 'document.empty', message: `${base} is empty.`})],
    );
  const result = baseSchema.safeParse(document.value);
  if (!result.success)
    throw refuseFiles(complaintsOf(document, z.toJSONSchema(baseSchema, {io: 'input', target: 'draft-7'}) as FieldSchema, result.error.issues));
  // as it is written there: defaults stay out of the new file
  const {agent = {}, ...spec} = (document.value as {readonly spec: Part & {readonly agent?: Part}}).spec;
  return {file: base, spec, agent};
}

/** The lines of the settings below `spec`, and of those below `spec.agent`, each indented as it stands there. */
export function linesOfBase(base: BaseSettings | undefined): {readonly spec: readonly string[]; readonly agent: readonly string[]} {
  if (base === undefined) return {spec: [], agent: []};
  return {spec: lines(base.file, base.spec, ofSpec, '  '), agent: lines(base.file, base.agent, ofAgent, '    ')};
}

function lines(file: string, part: Part, names: readonly string[], indent: string): readonly string[] {
  const present = names.filter((name) => part[name] !== undefined);
  if (present.length === 0) return [];
  const text = stringify(Object.fromEntries(present.map((name) => [name, part[name]])), {lineWidth: 0});
  return [`# From ${file}.`, ...text.trimEnd().split('\n')].map((line) => (line === '' ? line : `${indent}${line}`));
}
