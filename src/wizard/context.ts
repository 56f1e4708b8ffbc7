// What the steps of the wizard may look at and do: handed in, so that a test can hand in a world of its own.
import type {Answers} from '../spec/answers.ts';
import type {Given} from './flow.ts';
import type {HostLooks, Look} from './host-facts.ts';
import type {ManagementLooks} from './management-facts.ts';

export interface SeenKeys {
  readonly entry: string;
  /** Lines that show the keys: name, type, fingerprint. */
  readonly lines: readonly string[];
  /** Writes them into known_hosts. */
  record(): Promise<void>;
}

export interface WizardContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of the file that will be written: its paths are relative to it. */
  readonly folder: string;
  readonly hosts: Pick<HostLooks, 'sshHosts' | 'loginName' | 'keys' | 'exists' | 'look' | 'seen' | 'freePort'>;
  readonly management: Pick<ManagementLooks, 'contexts' | 'classes'>;
  /** The keys that hosts show and known_hosts doesn't know; a changed or revoked one isn't among them. */
  unknownKeys(looks: readonly Look[]): Promise<readonly SeenKeys[]>;
  /** The modes side by side, as text. */
  readonly comparison: string;
  /** The recommendation for the advice's answers among those given, as text. */
  advice(given: Given): string;
  /** Remarks for the person: what was seen. */
  say(text: string): void;
  readonly ascii: boolean;
  /** Whether keys may be recorded without asking (--trust). */
  readonly trustAll: boolean;
  fileIsThere(file: string): Promise<boolean>;
  answers(given: Given): Answers;
}
