// The profile's own OS image as a variable of the class. What the file itself says in spec.controller.variables goes before it. Pure.
import type {Finding} from '../../../spec/lint/report.ts';
import type {ClassFacts} from './cluster-class.ts';

/** The names under which classes ask for the machines' image, in the order in which they are looked for; documented in docs/controller-mode.md. */
export const imageVariables = [
  'osImage',
  'machineImage',
  'image',
  'imageName',
  'imageID',
  'customImage',
  'vmImage',
  'vmTemplate',
  'template',
  'amiID',
] as const;

export interface WithImage {
  readonly variables: Readonly<Record<string, unknown>>;
  /** Where the image went to. */
  readonly variable?: string;
  readonly finding?: Finding;
}

/** The cluster's variables, with the image in the first variable of the class that asks for one in text. */
export function withImage(given: Readonly<Record<string, unknown>>, image: string | undefined, facts: ClassFacts): WithImage {
  if (image === undefined) return {variables: given};
  const names = imageVariables.filter((name) => facts.variables.some((variable) => variable.name === name && (variable.schema.type ?? 'string') === 'string'));
  const [name] = names;
  if (name === undefined) {
    return {
      variables: given,
      finding: {
        path: ['spec', 'profile'],
        atKey: true,
        rule: 'image.no-variable',
        message: `The profile wants the image ${image.slice(0, 80)}, but the class ${facts.name} has no variable for an image.`,
        hint: `It would be called ${imageVariables.join(', ')}; under another name, write it into spec.controller.variables and take os.image out of the profile.`,
      },
    };
  }
  const own = names.find((one) => Object.hasOwn(given, one));
  return own === undefined ? {variables: {...given, [name]: image}, variable: name} : {variables: given};
}
