// The cluster's secrets are kept out of whatever the agent records.
import type {Redactor} from '../kernel/redact.ts';
import type {Secrets} from '../hostcluster/protocol.ts';

/** Registers the token and every key, as a whole and line by line. */
export function redactSecrets(redactor: Redactor, secrets: Secrets | null): void {
  if (secrets === null) return;
  redactor.add(secrets.bootstrapToken);
  redactor.add(secrets.bootstrapToken.split('.')[1]);
  for (const pair of [secrets.ca, secrets.etcdCa, secrets.frontProxyCa, secrets.serviceAccount]) {
    redactor.add(pair?.key?.trim());
    // a tool prints a key line by line
    for (const line of pair?.key?.split('\n') ?? []) if (line.length >= 64) redactor.add(line);
  }
}
