// Cleans up behind a sandbox that was killed: a shell of its own session that waits for the end of this process, however that comes.
import {spawn} from 'node:child_process';
import {once} from 'node:events';

/**
 * Reads `+PID` and `-PID`: which processes to end. At the end of its input it ends those, and every run that holds a lock below the folder, and removes
 * the folder, until nobody who was about to end anyway has made it anew; after `done` it does nothing.
 */
const script = `
pids=' '
while read -r word; do
  case $word in
    done) exit 0 ;;
    +*) pids="$pids\${word#+} " ;;
    -*) pids=$(printf '%s' "$pids" | sed "s/ \${word#-} / /") ;;
  esac
done
for lock in "$1"/state/trireme/locks/*.json; do
  [ -f "$lock" ] && pids="$pids$(sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' "$lock") "
done
[ "$pids" = ' ' ] || kill $pids 2>/dev/null
sleep 1
[ "$pids" = ' ' ] || kill -9 $pids 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf -- "$1"
  sleep 1
  [ -e "$1" ] || break
done
`;

export interface Guard {
  /** This process shall end with ours; returns how to take that back once it has ended. */
  watch(pid: number): () => void;
  /** Everything is cleaned up: nothing is left to do. */
  dismiss(): Promise<void>;
}

/** Watches over a sandbox's folder. The folder must be the sandbox's own: it is removed whole. */
export function startGuard(folder: string): Guard {
  const child = spawn('/bin/sh', ['-c', script, 'trireme-sandbox-guard', folder], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => {}); // without a shell there's only our own cleaning up
  child.stdin.on('error', () => {});
  // it must not keep this process alive
  child.unref();
  (child.stdin as unknown as {unref?(): void}).unref?.();
  const say = (word: string) => void child.stdin.write(`${word}\n`);
  return {
    watch: (pid) => {
      say(`+${pid}`);
      return () => say(`-${pid}`);
    },
    dismiss: async () => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.ref();
      const ended = once(child, 'exit');
      child.stdin.end('done\n');
      await ended;
    },
  };
}
