// What a user can want, as zod schemas: the one source of types, JSON Schema and `explain`. Its parts are in schema/.
import {clusterDocument} from './schema/cluster.ts';
import {profileDocument} from './schema/profile.ts';

export type {AgentHost, ComponentConfiguration, SshSettings, Taint} from './schema/agent.ts';
export type {AwsSettings, ControllerPool, ControllerSettings} from './schema/controller.ts';
export {clusterDocument} from './schema/cluster.ts';
export type {ClusterDocument, ClusterSpec} from './schema/cluster.ts';
export type {ProfileChart, ProfileDocument, ProfileLayer, ProfileVariable, VariableType} from './schema/profile.ts';
export {apiVersion} from './schema/values.ts';
export type {SecretSource} from './schema/values.ts';

/** The kinds of document that can be read, by name. */
export const kinds = {Cluster: clusterDocument, ClusterProfile: profileDocument} as const;
export type Kind = keyof typeof kinds;

/** Kinds that are planned, and what is said about them until they are built. */
export const laterKinds: Readonly<Record<string, string>> = {Image: 'appliance mode and its images are not in this version'};
