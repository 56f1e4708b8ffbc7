// metadata.yaml of a release: which series of versions follows which contract. Checked strictly: from it follows what may be installed together.
import {isMap, isSeq} from 'yaml';
import semver from 'semver';
import {TriremeError} from '../../../kernel/errors.ts';
import {type Complaint, refuseFiles} from '../../../spec/complaint.ts';
import {sourceOfBytes} from '../../../spec/source.ts';
import {locate, parseYaml, type Path} from '../../../spec/yaml-text.ts';

export interface ReleaseSeries {
  readonly major: number;
  readonly minor: number;
  /** `v1beta2`. */
  readonly contract: string;
}

const wantedApiVersion = 'clusterctl.cluster.x-k8s.io/v1alpha3';
/** The contract that we know, and those that its core provider works with (Cluster API 1.11 on; v1beta1 goes away in 1.16). */
export const currentContract = 'v1beta2';

/** Contracts whose providers work under a core provider of `contract`. */
export function compatibleContracts(contract: string): readonly string[] {
  return contract === 'v1beta2' ? ['v1beta2', 'v1beta1'] : [contract];
}

/** Reads metadata.yaml; `label` is what complaints call it. Throws `file.invalid` with all complaints. */
export function parseMetadata(bytes: Uint8Array, label: string): readonly ReleaseSeries[] {
  const read = sourceOfBytes(label, '/', bytes);
  if ('complaint' in read) throw refuseFiles([read.complaint]);
  const {source} = read;
  const {documents, complaints: found} = parseYaml(source);
  const complaints: Complaint[] = [...found];
  const [yaml] = documents;
  if (yaml === undefined || yaml.value === undefined || !isMap(yaml.document.contents)) {
    if (complaints.length === 0) complaints.push(source.complain({offset: 0, length: 1}, {rule: 'metadata.empty', message: `${label} holds no metadata.`}));
    throw refuseFiles(complaints);
  }
  const complain = (path: Path, message: string, hint?: string) =>
    complaints.push(source.complain(locate(yaml, path), {rule: 'metadata.value', message, ...(hint === undefined ? {} : {hint})}));
  const value = yaml.value as Readonly<Record<string, unknown>>;
  if (value['apiVersion'] !== wantedApiVersion) complain(['apiVersion'], `apiVersion is ${String(value['apiVersion'])}, not ${wantedApiVersion}.`);
  // several providers leave the kind out, and clusterctl lets them
  if (value['kind'] !== undefined && value['kind'] !== '' && value['kind'] !== 'Metadata')
    complain(['kind'], `kind is ${String(value['kind'])}, not Metadata.`);
  const list = isSeq(yaml.document.get('releaseSeries', true)) ? (value['releaseSeries'] as readonly unknown[]) : [];
  if (list.length === 0) complain(['releaseSeries'], 'releaseSeries is empty: no version follows a contract.');
  const series: ReleaseSeries[] = [];
  for (const [index, entry] of list.entries()) {
    const {major = 0, minor = 0, contract} = (entry ?? {}) as Readonly<Record<string, unknown>>;
    const path = ['releaseSeries', index];
    if (typeof major !== 'number' || !Number.isInteger(major) || major < 0) complain([...path, 'major'], 'major is a whole number.');
    else if (typeof minor !== 'number' || !Number.isInteger(minor) || minor < 0) complain([...path, 'minor'], 'minor is a whole number.');
    else if (typeof contract !== 'string' || !/^v\d+((alpha|beta)\d+)?$/.test(contract))
      complain([...path, 'contract'], `The series ${major}.${minor} names no contract.`, 'A contract is written v1beta2.');
    else if (series.some((one) => one.major === major && one.minor === minor && one.contract !== contract))
      complain(path, `The series ${major}.${minor} is there twice, with two contracts.`);
    else series.push({major, minor, contract});
  }
  if (complaints.length > 0) throw refuseFiles(complaints);
  return series;
}

/** The contract of a version; undefined when no series has it. */
export function contractOf(series: readonly ReleaseSeries[], version: string): string | undefined {
  const parsed = semver.parse(version);
  return series.find(({major, minor}) => major === parsed?.major && minor === parsed.minor)?.contract;
}

/** As contractOf; throws `provider.repository-invalid`. */
export function requireContract(series: readonly ReleaseSeries[], label: string, version: string): string {
  const contract = contractOf(series, version);
  if (contract !== undefined) return contract;
  const known = series.map(({major, minor}) => `${major}.${minor}`).join(', ');
  throw new TriremeError('provider.repository-invalid', `metadata.yaml of ${label} has no series for ${version}: which contract it follows isn't known.`, {
    hints: [`It has the series ${known}.`, 'The release lacks an up-to-date metadata.yaml, or the address is that of another repository.'],
  });
}
