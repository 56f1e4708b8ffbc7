// The profile's own OS image in machine templates: which field of which kind names it. Pure.
import type {KubeObject} from '../../../kube/object.ts';
import type {Finding} from '../../../spec/lint/report.ts';

/** By kind of machine template: the field below `spec.template.spec` that names an image, as the provider's API has it. */
export const imageFields: Readonly<Record<string, readonly string[]>> = {
  AWSMachineTemplate: ['ami', 'id'],
  AzureMachineTemplate: ['image', 'id'],
  DevMachineTemplate: ['backend', 'docker', 'customImage'],
  DockerMachineTemplate: ['customImage'],
  GCPMachineTemplate: ['image'],
  HCloudMachineTemplate: ['imageName'],
  Metal3MachineTemplate: ['image', 'url'],
  NutanixMachineTemplate: ['image', 'name'],
  OpenStackMachineTemplate: ['image', 'filter', 'name'],
  VSphereMachineTemplate: ['template'],
};

export function setImage(objects: readonly KubeObject[], image: string): {readonly objects: readonly KubeObject[]; readonly findings: readonly Finding[]} {
  let found = 0;
  const changed = objects.map((object) => {
    const path = imageFields[object.kind];
    if (path === undefined) return object;
    found += 1;
    return setAt(object, ['spec', 'template', 'spec', ...path], image) as KubeObject;
  });
  if (found > 0) return {objects: changed, findings: []};
  return {
    objects,
    findings: [
      {
        path: ['spec', 'profile'],
        atKey: true,
        rule: 'image.no-field',
        message: `The profile wants the image ${image.slice(0, 80)}, but no machine template of the template has a known field for one.`,
        hint: 'Write the image into the template, and take os.image out of the profile.',
      },
    ],
  };
}

function setAt(value: unknown, [key, ...rest]: readonly string[], leaf: unknown): unknown {
  if (key === undefined) return leaf;
  const map = value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
  return {...map, [key]: setAt(map[key], rest, leaf)};
}
