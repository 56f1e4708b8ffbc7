/** The four providers of the bed: kustomization, program, and how clusterctl's inventory names them. */
export function providers(): readonly {
  readonly program: string;
  readonly label: string;
  readonly name: string;
  readonly type: string;
  readonly namespace: string;
  readonly config: string;
}[];
