// The terminal while screens have it: the alternate screen, raw keys, no cursor. However it ends, everything is given back as it was.
import type {FrameStream} from './frame-stream.ts';

const enter = '\u001B[?1049h\u001B[?25l\u001B[?7l\u001B[H\u001B[2J';
// an update and a link that were cut off are closed too
const leave = '\u001B[?2026l\u001B]8;;\u0007\u001B[0m\u001B[?7h\u001B[?25h\u001B[?1049l';

export interface KeyStream {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: 'end' | 'error' | 'close', listener: (error?: Error) => void): unknown;
  off(event: 'end' | 'error' | 'close', listener: (error?: Error) => void): unknown;
}

export interface OutStream {
  write(text: string): boolean;
  on(event: 'error' | 'close', listener: (error?: Error) => void): unknown;
  off(event: 'error' | 'close', listener: (error?: Error) => void): unknown;
}

/** What a session needs of the process. */
export interface SessionHost {
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  off(event: string, listener: (...values: unknown[]) => void): unknown;
  /** Sends a signal; 0 means the whole group, as a terminal does it. */
  kill(pid: number, signal: NodeJS.Signals): unknown;
  readonly pid: number;
}

export type Leaving =
  | {readonly why: 'hangup'}
  /** The terminal is gone: a closed SSH connection, a closed window. */
  | {readonly why: 'terminal-gone'}
  | {readonly why: 'crash'; readonly error: unknown};

export interface SessionOptions {
  readonly stdin: KeyStream;
  readonly stdout: OutStream;
  readonly frames: FrameStream;
  readonly host: SessionHost;
  /** Called once, after the terminal was given back, when something from outside ends the session. */
  onLeaving(leaving: Leaving): void;
  /** After Ctrl-Z and fg. */
  onResumed(): void;
}

export interface TerminalSession {
  /** Stops the program as Ctrl-Z in a shell does. */
  suspend(): void;
  /** Gives the terminal to another program, and takes it back when that ends. */
  lend<T>(work: () => Promise<T>): Promise<T>;
  /** Harmless when called twice. */
  close(): void;
  write(text: string): void;
}

export function openTerminalSession({stdin, stdout, frames, host, onLeaving, onResumed}: SessionOptions): TerminalSession {
  let isOpen = true;
  let isShown = false;
  let isGone = false;
  let isLent = false;
  const write = (text: string) => {
    if (isGone) return;
    try {
      stdout.write(text);
    } catch {
      isGone = true;
    }
  };
  const setRaw = (isRaw: boolean) => {
    try {
      if (stdin.isTTY === true) stdin.setRawMode?.(isRaw);
    } catch {
      isGone = true; // EIO: the terminal went away
    }
  };
  const show = () => {
    isShown = true;
    setRaw(true);
    write(enter);
    frames.open();
  };
  const hide = () => {
    if (!isShown) return;
    isShown = false;
    frames.close();
    write(leave);
    setRaw(false);
  };
  const listeners: [string, (...values: unknown[]) => void][] = [];
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    hide();
    // not at once: whoever else hears the signal that is being told now would think that nobody minds it, and end the program with it
    setImmediate(() => listeners.forEach(([event, listener]) => host.off(event, listener)));
    stdin.off('end', gone);
    stdin.off('error', gone);
    stdout.off('close', gone);
    // the stream's error listener stays: a write that is under way can still fail, and nobody else would hear it
  };
  const leaveFor = (leaving: Leaving) => {
    if (!isOpen) return;
    close();
    onLeaving(leaving);
  };
  const gone = () => {
    isGone = true;
    leaveFor({why: 'terminal-gone'});
  };
  const on = (event: string, listener: (...values: unknown[]) => void) => {
    listeners.push([event, listener]);
    host.on(event, listener);
  };
  on('exit', close);
  on('SIGHUP', () => leaveFor({why: 'hangup'}));
  on('uncaughtException', (error: unknown) => leaveFor({why: 'crash', error}));
  on('unhandledRejection', (error: unknown) => leaveFor({why: 'crash', error}));
  on('SIGTSTP', () => {
    hide();
    host.kill(host.pid, 'SIGSTOP');
  });
  on('SIGCONT', () => {
    // while another program has the terminal, it is that one's to draw
    if (!isOpen || isLent) return;
    // also after a SIGSTOP, which nobody can hear: the shell may have changed the terminal meanwhile
    if (isShown) hide();
    show();
    onResumed();
  });
  stdin.on('end', gone);
  stdin.on('error', gone);
  stdout.on('error', gone);
  stdout.on('close', gone);
  show();
  return {
    suspend: () => void host.kill(0, 'SIGTSTP'),
    lend: async (work) => {
      hide();
      isLent = true;
      try {
        return await work();
      } finally {
        isLent = false;
        if (isOpen) {
          show();
          onResumed();
        }
      }
    },
    close,
    write: (text) => {
      if (isShown) write(text);
    },
  };
}
