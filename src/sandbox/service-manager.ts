// A simulated host's systemd: starts what its unit files say as real processes of this computer, restarts them, and ends them.
import {spawn, type ChildProcess} from 'node:child_process';
import {closeSync, mkdirSync, openSync, rmSync, writeFileSync} from 'node:fs';
import {mkdir, readFile} from 'node:fs/promises';
import {createServer, type Server} from 'node:net';
import {join} from 'node:path';
import {parseUnit} from './unit-file.ts';

export interface ServiceManagerOptions {
  /** The host's root folder: unit files are below its etc/systemd/system, the socket for `systemctl` beside it. */
  readonly root: string;
  readonly socket: string;
  /** Where a service's output goes, NAME.log each. */
  readonly logs: string;
  /** A file with the process id of each service that runs, by unit: so that asking for it starts no program. */
  readonly running: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Answer {
  readonly code: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

interface Service {
  child: ChildProcess | undefined;
  /** False once it was told to stop. */
  wanted: boolean;
  restart: NodeJS.Timeout | undefined;
}

/** Pause before a service that ended is started again, in ms. */
const restartDelay = 200;

export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #services = new Map<string, Service>();
  #server: Server | undefined;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
  }

  /** Listens for `systemctl`: a line of JSON words in, a line of JSON answer out. */
  async listen(): Promise<void> {
    await mkdir(this.#options.logs, {recursive: true});
    mkdirSync(this.#options.running, {recursive: true});
    const server = createServer((socket) => {
      let text = '';
      socket.on('error', () => {});
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (!text.includes('\n')) return;
        void this.control(JSON.parse(text) as readonly string[]).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#options.socket, resolve);
    });
  }

  /** What `systemctl ARGS` does and says. */
  async control(args: readonly string[]): Promise<Answer> {
    const names = args.filter((arg) => !arg.startsWith('-'));
    const verb = names[0];
    const units = names.slice(1).map((unit) => (unit.includes('.') ? unit : `${unit}.service`));
    const isNow = args.includes('--now');
    if (verb === 'daemon-reload' || verb === 'reset-failed') return {code: 0};
    if (verb === 'enable') return isNow ? this.#each(units, (unit) => this.#start(unit)) : {code: 0};
    if (verb === 'disable') return isNow ? this.#each(units, (unit) => this.#stop(unit)) : {code: 0};
    if (verb === 'start') return this.#each(units, (unit) => this.#start(unit));
    if (verb === 'stop') return this.#each(units, (unit) => this.#stop(unit));
    if (verb === 'restart' || verb === 'try-restart' || verb === 'reload-or-restart') {
      return this.#each(units, async (unit) => {
        await this.#stop(unit);
        return this.#start(unit);
      });
    }
    if (verb === 'is-active') {
      const states = units.map((unit) => (this.isActive(unit) ? 'active' : 'inactive'));
      return {
        code: states.every((state) => state === 'active') ? 0 : 3,
        stdout: args.includes('--quiet') || args.includes('-q') ? '' : `${states.join('\n')}\n`,
      };
    }
    if (verb === 'show')
      return {
        code: 0,
        stdout: units.map((unit) => `ActiveState=${this.isActive(unit) ? 'active' : 'inactive'}\nMainPID=${this.pidOf(unit) ?? 0}\n`).join('\n'),
      };
    return {code: 1, stderr: `systemctl on a SIMULATED host doesn't know: ${args.join(' ')}\n`};
  }

  isActive(unit: string): boolean {
    return this.pidOf(unit) !== undefined;
  }

  pidOf(unit: string): number | undefined {
    const child = this.#services.get(unit)?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  /** Starts what ran before `stopAll`: power is back. */
  async startAll(): Promise<void> {
    for (const unit of this.#services.keys()) await this.#start(unit);
  }

  /** Ends every service: `SIGTERM` as a shutdown does, `SIGKILL` as a power cut. */
  async stopAll(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await Promise.all([...this.#services.keys()].map((unit) => this.#stop(unit, signal)));
  }

  async close(): Promise<void> {
    await this.stopAll('SIGTERM');
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #each(units: readonly string[], work: (unit: string) => Promise<Answer>): Promise<Answer> {
    for (const unit of units) {
      const answer = await work(unit);
      if (answer.code !== 0) return answer;
    }
    return {code: 0};
  }

  /** With `again`, a restart of this service: it may have been stopped in the meantime. */
  async #start(unit: string, again?: Service): Promise<Answer> {
    const {root, logs, running, env} = this.#options;
    const text = await readFile(join(root, 'etc/systemd/system', unit), 'utf8').catch(() => undefined);
    const parsed = text === undefined ? undefined : parseUnit(text);
    if (parsed === undefined) return {code: 5, stderr: `Failed to start ${unit}: Unit ${unit} not found.\n`};
    if (again?.wanted === false) return {code: 0};
    const service: Service = this.#services.get(unit) ?? {child: undefined, wanted: true, restart: undefined};
    this.#services.set(unit, service);
    service.wanted = true;
    if (this.isActive(unit)) return {code: 0};
    const [program, ...args] = parsed.command as [string, ...string[]];
    const log = openSync(join(logs, `${unit}.log`), 'a', 0o600);
    // the pipe is the service's lifeline: it breaks when this process ends, however that happens
    const child = spawn(join(root, program), args, {env: {...env, ...parsed.environment, TRIREME_LIFELINE: 'stdin'}, stdio: ['pipe', log, log]});
    child.stdin?.on('error', () => {});
    closeSync(log);
    service.child = child;
    if (child.pid !== undefined) writeFileSync(join(running, unit), `${child.pid}\n`);
    child.on('error', () => {}); // told by the exit code of `is-active`
    child.on('exit', () => {
      if (service.child === child) rmSync(join(running, unit), {force: true});
      if (!service.wanted || !parsed.restarts || service.child !== child) return;
      service.restart = setTimeout(() => void this.#start(unit, service), restartDelay);
    });
    return {code: 0};
  }

  async #stop(unit: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<Answer> {
    const service = this.#services.get(unit);
    if (service === undefined) return {code: 0};
    service.wanted = false;
    clearTimeout(service.restart);
    const {child} = service;
    if (child === undefined || !this.isActive(unit)) return {code: 0};
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const last = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(last);
    return {code: 0};
  }
}
