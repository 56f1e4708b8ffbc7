// Watches the files that reconcilers answer for, so that a change is seen at once and not only at the next look. Costs nothing while nothing changes.
import {watch, type FSWatcher} from 'node:fs';
import {basename, dirname} from 'node:path';
import type {HostSystem} from './host-system.ts';

/** Several changes within this time are told once, in ms. Longer than an atomic write takes. */
const gather = 200;

/** Tells which reconcilers' files changed. Folders that aren't there can't be watched: the next look finds those. */
export class FileWatch {
  readonly #tell: (names: readonly string[]) => void;
  readonly #watchers: FSWatcher[] = [];
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #wish = '';
  #isComplete = false;

  constructor(tell: (names: readonly string[]) => void) {
    this.#tell = tell;
  }

  /** Watches these from now on: reconciler's name to paths. Cheap to call again with the same. */
  set(host: HostSystem, paths: Readonly<Record<string, readonly string[]>>): void {
    const wish = JSON.stringify(paths);
    if (wish === this.#wish && this.#isComplete) return;
    this.#wish = wish;
    this.#isComplete = true;
    this.#end();
    const folders = new Map<string, Map<string, string>>();
    for (const [name, list] of Object.entries(paths)) {
      for (const path of list) {
        const folder = host.path(dirname(path));
        folders.set(folder, (folders.get(folder) ?? new Map()).set(basename(path), name));
      }
    }
    for (const [folder, names] of folders) this.#watch(folder, names);
  }

  #watch(folder: string, names: ReadonlyMap<string, string>): void {
    try {
      const watcher = watch(folder, {persistent: false}, (_event, file) => {
        const name = file === null ? undefined : names.get(file);
        if (name !== undefined) this.#note(name);
      });
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // the folder isn't there yet, or the host has no watches left: tried again when it's called again
      this.#isComplete = false;
    }
  }

  #note(name: string): void {
    this.#changed.add(name);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const names = [...this.#changed];
      this.#changed.clear();
      this.#tell(names);
    }, gather);
  }

  #end(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#end();
  }
}
