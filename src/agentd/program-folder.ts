// Where the programs of Kubernetes go on a host.
import {access, constants, mkdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';

/** Where programs go: /usr/local/bin, or beside the agent on a system whose /usr can't be written. */
export async function programFolder(own: string): Promise<string> {
  try {
    await mkdir('/usr/local/bin', {recursive: true});
    await access('/usr/local/bin', constants.W_OK);
    return '/usr/local/bin';
  } catch {
    // beside the version's folder, so that it stays through updates of the agent
    return join(dirname(own), 'bin');
  }
}
