// The version rule that machines and control planes share.
import type {FieldError} from '../failure.ts';
import {parseVersion} from '../versions.ts';
import {invalidField} from './field-error.ts';

export function versionErrors(field: string, version: string | undefined, detail = 'must be a valid semantic version'): readonly FieldError[] {
  if (version === undefined || version === '') return [];
  return [
    ...(version.startsWith('v') ? [] : [invalidField(field, version, 'must start with v')]),
    ...(parseVersion(version) === undefined ? [invalidField(field, version, detail)] : []),
  ];
}

export const withV = (version: string | undefined) => (version === undefined || version === '' || version.startsWith('v') ? version : `v${version}`);
