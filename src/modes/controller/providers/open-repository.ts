// Opens the repository of a provider, whatever its address is.
import {readFile, stat} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {isAbsolute, join} from 'node:path';
import {TriremeError} from '../../../kernel/errors.ts';
import {folderRepository} from './repository-folder.ts';
import {httpRepository} from './repository-http.ts';
import {layoutRepository} from './repository-layout.ts';
import {labelOf, type Provider, type ProviderSource} from './provider.ts';
import {componentsFileOf, invalidAddress, type Repository, type RepositoryOptions} from './repository.ts';

/** The repository of a provider. Throws `provider.repository-invalid` for an address that none can be. */
export async function openRepository(source: ProviderSource, options: RepositoryOptions): Promise<Repository> {
  return withOverrides(await openPlain(source, options), source, options.configuration.overridesFolder);
}

async function openPlain(source: ProviderSource, options: RepositoryOptions): Promise<Repository> {
  const {url} = source;
  if (/^https?:\/\//.test(url)) return httpRepository(source, options);
  if (url.startsWith('oci-layout:')) return layoutRepository(source, url.slice('oci-layout:'.length).replace(/^\/\//, ''));
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  if (!isAbsolute(path)) throw invalidAddress(source, 'it is neither an absolute path nor an address');
  return folderRepository(source, path);
}

/** A folder, or an OCI layout, that holds the repositories of several providers: what --repository names. */
export async function repositoryRoot(root: string, provider: Provider): Promise<ProviderSource> {
  const found = await stat(root).catch(() => undefined);
  if (found === undefined)
    throw new TriremeError('provider.repository-invalid', `There is no repository at ${root}.`, {hints: ['--repository takes a folder or a tar file.']});
  const isLayout =
    !found.isDirectory() ||
    (await stat(join(root, 'oci-layout')).then(
      () => true,
      () => false,
    ));
  return {...provider, url: isLayout ? `oci-layout:${root}` : join(root, labelOf(provider), 'latest', componentsFileOf(provider)), from: '--repository'};
}

function withOverrides(repository: Repository, provider: Provider, folder: string): Repository {
  return {
    ...repository,
    versions: () => repository.versions(),
    read: async (version, file) => {
      const path = join(folder, labelOf(provider), version, file);
      try {
        return await readFile(path);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== 'ENOENT' && code !== 'ENOTDIR')
          throw new TriremeError('provider.repository-invalid', `The override ${path} can't be read: ${code ?? String(error)}.`, {cause: error});
      }
      return repository.read(version, file);
    },
  };
}
