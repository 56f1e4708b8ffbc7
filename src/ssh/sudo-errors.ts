// Why a script didn't start. sudo has one exit code for everything (1), so its text must tell; LC_ALL=C keeps it English, but sudoers may
// change the wording (badpass_message, insults), so a wrong password is told by sudo asking a second time.
import {TriremeError} from '../kernel/errors.ts';
import {redacted} from '../kernel/redact.ts';
import type {Elevation} from './script-start.ts';

export interface StartFailure {
  readonly host: string;
  readonly user: string;
  readonly elevation: Elevation;
  readonly code: number | undefined;
  readonly errors: string;
  /** What came on standard output instead. */
  readonly output: string;
  /** How often sudo asked. */
  readonly prompts: number;
}

// sudo 1.8 to 1.9 and sudo-rs 0.2
const refusals =
  /not in the sudoers|not allowed to (execute|run)|may not run sudo|is not allowed to|I'm afraid I can't do that|account .*(expired|locked)|account validation failure/i;
const missing = /sudo['’]?: (command )?(not found|No such file)|No such file or directory/i;
const passwordWanted = /a password is required|no password was provided|a terminal is required|no askpass program|interactive authentication is required/i;

/** The error for a script that never began. */
export function startFailure(failure: StartFailure): TriremeError {
  const {host, user, elevation, errors, prompts} = failure;
  const said = lastLine(errors, elevation) || lastLine(failure.output, elevation);
  const make = (
    code: 'host.sudo-password-wrong' | 'host.sudo-password-required' | 'host.sudo-refused' | 'host.command-failed',
    message: string,
    hint: string,
  ) => new TriremeError(code, message, {host, hints: [hint], details: {user, said}});
  if (elevation.by !== 'nothing') {
    if (refusals.test(errors))
      return make(
        'host.sudo-refused',
        `${user} may not become root on ${host}: ${said}.`,
        `On ${host}, allow it as root: echo '${user} ALL=(ALL:ALL) ALL' > /etc/sudoers.d/${user}`,
      );
    if (/must have a tty/i.test(errors)) {
      return make(
        'host.sudo-refused',
        `sudo on ${host} works only on a terminal (requiretty).`,
        `On ${host}, put into /etc/sudoers.d/${user}: Defaults:${user} !requiretty`,
      );
    }
    if (prompts < 1 && (failure.code === 127 || missing.test(errors)))
      return make('host.sudo-refused', `There's no sudo on ${host}, and ${user} isn't root.`, 'Install sudo there, or log in as root (ssh.user: root).');
    if (elevation.by === 'sudo' && passwordWanted.test(errors)) {
      return make(
        'host.sudo-password-required',
        `sudo on ${host} asks ${user} for a password, and none was given.`,
        'Name where it comes from in the file: ssh.sudo.password.fromEnv or fromFile; or allow sudo without one (NOPASSWD).',
      );
    }
    if (elevation.by === 'password' && prompts > 0) {
      return make(
        'host.sudo-password-wrong',
        `sudo on ${host} refuses the password of ${user}. It was tried once.`,
        'Check what ssh.sudo.password names in the file.',
      );
    }
  }
  if (failure.code === 97) return make('host.command-failed', `The script for ${host} arrived cut short and wasn't run.`, 'Run the same command again.');
  return make(
    'host.command-failed',
    `${host} doesn't run scripts for ${user}: ${said === '' ? `the login shell ended with exit code ${failure.code ?? 'unknown'} and said nothing` : said}.`,
    `The user needs a login shell that runs commands, and sshd_config no ForceCommand. Try: ssh ${user}@${host} true`,
  );
}

function lastLine(text: string, elevation: Elevation): string {
  const shown = elevation.by === 'password' ? text.replaceAll(elevation.password, redacted) : text;
  const line =
    shown
      .split('\n')
      .map((raw) => raw.trim())
      .findLast((raw) => raw !== '') ?? '';
  return line
    .replace(/^sudo: /, '')
    .replace(/\.$/, '')
    .slice(0, 300);
}
