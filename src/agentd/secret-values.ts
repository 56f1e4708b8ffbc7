// Secret values that the profile's layers carry to the cluster: an API that refuses an object may quote them.
import {isTriremeError} from '../kernel/errors.ts';
import type {WantedLayer} from '../hostcluster/protocol.ts';
import {parseManifest} from '../layers/manifest.ts';

/** All values of the Secrets in these layers, as they are and as the API has them. */
export function secretValuesOf(layers: readonly WantedLayer[]): readonly string[] {
  return layers.filter((layer) => /kind:\s*["']?Secret\b/.test(layer.manifest)).flatMap(valuesOf);
}

function valuesOf({name, manifest}: WantedLayer): readonly string[] {
  try {
    return parseManifest(manifest, `the layer ${name}`)
      .filter((object) => object.kind === 'Secret')
      .flatMap((object) => [
        ...textsOf(object['stringData']),
        ...textsOf(object['data']).flatMap((text) => [text, Buffer.from(text, 'base64').toString('utf8')]),
      ]);
  } catch (error) {
    // whoever applies it says what is wrong with it
    if (isTriremeError(error)) return [];
    throw error;
  }
}

function textsOf(map: unknown): readonly string[] {
  return map === null || typeof map !== 'object' ? [] : Object.values(map).filter((value) => typeof value === 'string');
}
