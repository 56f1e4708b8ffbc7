// Runs scripts on one host over SSH: the HostRunner that everything above talks to.
import type {ClientChannel} from 'ssh2';
import {deadlineOf} from '../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {ChannelSlots} from './channel-slots.ts';
import {collect, exitOf, pump, type Exit} from './channel-streams.ts';
import {lostConnection} from './connect-errors.ts';
import type {PtySize, SshConnection} from './connection.ts';
import {createSshContext, type SshContext} from './context.ts';
import {connectThrough} from './jump-hosts.ts';
import type {HostRunner, RemoteProcess, RunOptions, RunResult} from './runner.ts';
import {endScript, startScript, wrapperCommand, type Elevation} from './script-start.ts';
import {resolveTarget, type HostTarget, type ResolvedTarget} from './target.ts';

/** A login shell on a terminal. */
export interface RemoteShell extends RemoteProcess {
  resize(rows: number, columns: number): void;
}

export interface SshHostRunner extends HostRunner {
  /** Where it leads, with everything that ssh_config says. */
  readonly target: ResolvedTarget;
  /** True when sudo was given a password, which it may or may not have needed. */
  readonly usesSudoPassword: boolean;
  /** Opens the user's login shell on a terminal of this size. */
  shell(size: PtySize): Promise<RemoteShell>;
}

/** Below sshd's default MaxSessions of 10, so that a person's own multiplexed session fits too. */
const mostChannels = 8;

/**
 * Connects to a host and logs in. Calls after a break connect anew. Throws `host.*`. Without `context` the runner shares nothing with others.
 */
export async function openRunner(target: HostTarget, context: SshContext = createSshContext()): Promise<SshHostRunner> {
  const resolved = await resolveTarget(target, context.env);
  const connection = await connectThrough(resolved, {context});
  return new SshRunner(resolved, context, connection);
}

class SshRunner implements SshHostRunner {
  readonly host: string;
  readonly target: ResolvedTarget;
  readonly #context: SshContext;
  readonly #slots = new ChannelSlots(mostChannels);
  #connection: Promise<SshConnection>;
  #roundTrips = 0;
  #isClosed = false;
  #password: string | undefined;
  /** Settled once a password has been accepted; a wrong one is never sent twice. */
  #proof: Promise<void> | undefined;
  #refused: TriremeError | undefined;

  constructor(target: ResolvedTarget, context: SshContext, connection: SshConnection) {
    this.host = target.host;
    this.target = target;
    this.#context = context;
    this.#connection = Promise.resolve(connection);
    this.#password = target.sudoPassword;
  }

  get roundTrips(): number {
    return this.#roundTrips;
  }

  get usesSudoPassword(): boolean {
    return this.#password !== undefined;
  }

  async run(script: string, options: RunOptions): Promise<RunResult> {
    try {
      return await this.#runOnce(script, options);
    } catch (error) {
      const isStream = options.stdin !== undefined && typeof options.stdin !== 'string' && !(options.stdin instanceof Uint8Array);
      if (options.repeatable !== true || isStream || this.#isClosed || !isTriremeError(error) || error.code !== 'host.connection-lost') throw error;
      return this.#runOnce(script, options);
    }
  }

  async open(script: string, options: Pick<RunOptions, 'root' | 'signal'>): Promise<RemoteProcess> {
    const signal = options.signal ?? new AbortController().signal;
    const started = await this.#start(script, {root: options.root === true, hasPayload: true, signal});
    return remoteProcess(started, signal);
  }

  async shell(size: PtySize): Promise<RemoteShell> {
    // in this form sh, fish and csh understand it
    const open = await this.#channel('exec $SHELL -l', new AbortController().signal, size);
    return {...remoteProcess(open, undefined), resize: (rows, columns) => open.channel.setWindow(rows, columns, 0, 0)};
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = await this.#connection.catch(() => undefined);
    connection?.close();
  }

  async #runOnce(script: string, options: RunOptions): Promise<RunResult> {
    const deadline = deadlineOf(options.deadline);
    const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
    try {
      const open = await this.#start(script, {root: options.root === true, hasPayload: options.stdin !== undefined, signal});
      try {
        const output = collect(open.channel, options.onLine);
        const sending = options.stdin === undefined ? Promise.resolve() : pump(open.channel, options.stdin);
        const exit = await ended(open, signal, sending).catch((error: unknown) => {
          if (open.pid !== undefined && open.lost.error === undefined) this.#end(open.pid, options.root === true);
          throw error;
        });
        return {code: exit.code, ...(await output())};
      } finally {
        open.release();
      }
    } catch (error) {
      if (deadline.aborted && !options.signal?.aborted && error === deadline.reason) throw this.#timedOut(options.deadline);
      throw error;
    }
  }

  /** Opens a channel and brings the script to its first line. */
  async #start(script: string, options: {readonly root: boolean; readonly hasPayload: boolean; readonly signal: AbortSignal}): Promise<OpenChannel> {
    if (!options.root || this.target.user === 'root') return this.#startAs({by: 'nothing'}, script, options);
    if (this.#refused !== undefined) throw this.#refused;
    if (this.#password === undefined) {
      try {
        return await this.#startAs({by: 'sudo'}, script, options);
      } catch (error) {
        const ask = this.#context.askSudoPassword;
        if (!isTriremeError(error) || error.code !== 'host.sudo-password-required' || ask === undefined) throw error;
        this.#password ??= await ask(this.host);
        if (this.#password === undefined) throw error;
      }
    }
    const elevation: Elevation = {by: 'password', password: this.#password};
    if (elevation.password.includes('\n'))
      throw new TriremeError('host.sudo-password-wrong', `The sudo password for ${this.host} has a line break in it.`, {
        host: this.host,
        hints: ['Check what ssh.sudo.password names in the file.'],
      });
    if (this.#proof === undefined) {
      let started: Promise<OpenChannel> | undefined;
      this.#proof = new Promise<void>((resolve, reject) => {
        started = this.#startAs(elevation, script, options, resolve);
        started.catch(reject);
      });
      // what came to nothing for another reason than the password proves nothing
      this.#proof.catch((error: unknown) => {
        if (isTriremeError(error) && error.code === 'host.sudo-password-wrong') this.#refused = error;
        else this.#proof = undefined;
      });
      return started as Promise<OpenChannel>;
    }
    await this.#proof.catch((error: unknown) => {
      if (isTriremeError(error) && error.code === 'host.sudo-password-wrong') throw error;
    });
    return this.#startAs(elevation, script, options);
  }

  async #startAs(
    elevation: Elevation,
    script: string,
    options: {readonly hasPayload: boolean; readonly signal: AbortSignal},
    rooted?: () => void,
  ): Promise<OpenChannel> {
    const open = await this.#channel(wrapperCommand(elevation), options.signal);
    const {channel, release, lost} = open;
    try {
      const pid = await orElse(
        startScript(channel, {host: this.host, user: this.target.user, script, elevation, hasPayload: options.hasPayload}, rooted),
        options.signal,
        lost,
      );
      return {...open, pid};
    } catch (error) {
      channel.close();
      release();
      throw lost.error ?? error;
    }
  }

  async #channel(command: string, signal: AbortSignal, pty?: PtySize): Promise<OpenChannel> {
    for (;;) {
      const giveBack = await this.#slots.take(signal);
      try {
        const connection = await orElse(this.#connected(), signal);
        const channel = await orElse(connection.exec(command, pty === undefined ? {} : {pty}), signal);
        this.#roundTrips += 1;
        const lost = new Lost();
        const stopWatching = connection.onLost((error) => lost.set(error));
        const release = () => {
          stopWatching();
          giveBack();
        };
        channel.on('error', () => {}); // told by its end
        const exit = exitOf(channel);
        channel.once('close', release);
        return {channel, release, lost, exit};
      } catch (error) {
        giveBack();
        // RFC 4254, 5.1: a server that has enough channels says 1, 4, or (OpenSSH) 2
        const {reason} = error as {reason?: unknown};
        if ((reason === 1 || reason === 2 || reason === 4) && this.#slots.used > 0) this.#slots.shrink();
        else if (isTriremeError(error) || signal.aborted) throw error;
        else throw lostConnection(this.target, `${(error as Error).message}`, error);
      }
    }
  }

  /** The connection, made anew when it broke. */
  async #connected(): Promise<SshConnection> {
    if (this.#isClosed) throw lostConnection(this.target, 'it was closed');
    const current = this.#connection;
    const connection = await current.catch(() => undefined);
    if (connection !== undefined && connection.lost === undefined) return connection;
    if (this.#connection === current) this.#connection = connectThrough(this.target, {context: this.#context});
    return this.#connection;
  }

  /** Ends a script that nobody waits for any more: with its channel gone, one that says nothing would go on. As well as may be. */
  #end(pid: number, root: boolean): void {
    if (this.#isClosed) return;
    this.#runOnce(endScript(pid), {root, deadline: 10_000}).catch(() => {});
  }

  #timedOut(deadline: number): TriremeError {
    return new TriremeError('host.command-timed-out', `A command on ${this.host} took longer than ${deadline / 1000} s and was given up.`, {
      host: this.host,
      hints: [`See how busy it is: trireme host exec --limit ${this.host} -- uptime`],
    });
  }
}

interface OpenChannel {
  readonly channel: ClientChannel;
  readonly release: () => void;
  readonly lost: Lost;
  /** The script's process id on the host. */
  readonly pid?: number;
  /** Undefined when the channel broke. */
  readonly exit: Promise<Exit | undefined>;
}

/** Whether the connection below a channel broke, and how. */
class Lost {
  error: TriremeError | undefined;
  #listener: ((error: TriremeError) => void) | undefined;

  set(error: TriremeError): void {
    this.error = error;
    this.#listener?.(error);
  }

  onLost(listener: (error: TriremeError) => void): void {
    if (this.error !== undefined) listener(this.error);
    else this.#listener = listener;
  }
}

/** The work's result, or the reason of the signal or of the break, whichever is first. */
function orElse<T>(work: Promise<T>, signal: AbortSignal, lost?: Lost): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, {once: true});
    lost?.onLost(reject);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Waits for the command's end; a deadline or an abort closes the channel. */
async function ended({channel, lost, exit}: OpenChannel, signal: AbortSignal, sending: Promise<void>): Promise<Exit> {
  try {
    // a source that fails ends the command; a command that ends early doesn't mind what it didn't read
    const result = await orElse(Promise.race([exit, sending.then(() => exit)]), signal, lost);
    if (result === undefined) throw lost.error ?? new Error('the channel closed without an exit code');
    return result;
  } catch (error) {
    if (lost.error === undefined) channel.close();
    throw lost.error ?? error;
  }
}

function remoteProcess({channel, release, lost, exit}: OpenChannel, signal: AbortSignal | undefined): RemoteProcess {
  const close = () => {
    channel.close();
    release();
  };
  const exited = new Promise<Exit>((resolve, reject) => {
    lost.onLost(reject);
    void exit.then((end) => (end === undefined ? reject(lost.error ?? new Error('the channel closed without an exit code')) : resolve(end)));
  }).finally(release);
  exited.catch(() => {}); // whoever waits for it sees it
  signal?.addEventListener('abort', close, {once: true});
  return {stdin: channel, stdout: channel, stderr: channel.stderr, exited, close};
}
