// What the connections of one command share: opened keys, agents, jump hosts, and how to ask.
import {Agents} from './identity.ts';
import {JumpHosts} from './jump-hosts.ts';
import {KeyFiles} from './key-file.ts';
import type {Environment} from './target.ts';

export interface SshOptions {
  /** HOME, SSH_AUTH_SOCK and USER are read; default: this process's. */
  readonly env?: Environment;
  /** Asks for a private key's passphrase, when a host takes nothing else. Absent: such keys are left out. */
  readonly askPassphrase?: (path: string, host: string) => Promise<string | undefined>;
  /** Asks for the sudo password of a host whose target has none, once sudo wants one. */
  readonly askSudoPassword?: (host: string) => Promise<string | undefined>;
  /** How long a connection may take to be ready, in ms; ssh_config's ConnectTimeout wins. Default 20,000. */
  readonly connectDeadline?: number;
  /** What isn't worth stopping for. */
  readonly warn?: (message: string, host: string) => void;
}

export interface SshContext extends SshOptions {
  readonly env: Environment;
  readonly keyFiles: KeyFiles;
  readonly agents: Agents;
  readonly jumpHosts: JumpHosts;
}

/** Make one per command and hand it to every runner: hosts behind one jump host then share its connection, and a key is opened once. */
export function createSshContext(options: SshOptions = {}): SshContext {
  return {...options, env: options.env ?? process.env, keyFiles: new KeyFiles(), agents: new Agents(), jumpHosts: new JumpHosts()};
}
