// A local repository in clusterctl's layout: ROOT/LABEL/VERSION/FILE.
import {readdir, readFile, stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {TriremeError} from '../../../kernel/errors.ts';
import {labelOf, type ProviderSource, versionPattern} from './provider.ts';
import {invalidAddress, type Repository} from './repository.ts';

/** `path` is ROOT/LABEL/VERSION/FILE; VERSION may be `latest`. */
export async function folderRepository(source: ProviderSource, path: string): Promise<Repository> {
  const componentsFile = basename(path);
  const version = basename(dirname(path));
  const releases = dirname(dirname(path));
  if (basename(releases) !== labelOf(source)) throw invalidAddress(source, `its folder isn't called ${labelOf(source)}`);
  if (version !== 'latest' && !versionPattern.test(version)) throw invalidAddress(source, `${version} isn't a version`);
  if (!componentsFile.endsWith('.yaml')) throw invalidAddress(source, 'it does not end with the name of a YAML file');
  return {
    place: releases,
    pinned: version === 'latest' ? undefined : version,
    componentsFile,
    versions: async () => {
      const entries = await readdir(releases, {withFileTypes: true}).catch((error: unknown) => {
        throw new TriremeError('provider.repository-invalid', `The repository ${releases} can't be read: ${codeOf(error)}.`, {
          hints: [`It is named by: ${source.from}`, `Below it is a folder for each version: ${join(releases, 'v1.2.3', componentsFile)}`],
          cause: error,
        });
      });
      const found = await Promise.all(
        entries
          .filter((entry) => versionPattern.test(entry.name))
          .map(async (entry) => ((await stat(join(releases, entry.name)).catch(() => undefined))?.isDirectory() === true ? [entry.name] : [])),
      );
      return found.flat();
    },
    read: async (wanted, file) => {
      const place = join(releases, wanted, file);
      try {
        return await readFile(place);
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error))) return undefined;
        throw new TriremeError('provider.repository-invalid', `${place} can't be read: ${codeOf(error)}.`, {cause: error});
      }
    },
  };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
