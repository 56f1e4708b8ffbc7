// All checks of controller mode, in the order in which reports show them.
import type {Check} from './check.ts';
import {accessRights} from './checks/access-rights.ts';
import {apiReachable} from './checks/api.ts';
import {apiVersion} from './checks/api-version.ts';
import {awsIdentity} from './checks/aws-identity.ts';
import {awsKeyPair} from './checks/aws-key-pair.ts';
import {awsPermissions} from './checks/aws-permissions.ts';
import {awsQuotas} from './checks/aws-quotas.ts';
import {awsRegion} from './checks/aws-region.ts';
import {certManagerHealthy} from './checks/cert-manager.ts';
import {clockSkew} from './checks/clock-skew.ts';
import {clusterClass} from './checks/cluster-class.ts';
import {coreProvider} from './checks/core-provider.ts';
import {managementNodes} from './checks/management-nodes.ts';
import {namespaceExists} from './checks/namespace.ts';
import {providerContracts} from './checks/provider-contracts.ts';
import {providersHealthy} from './checks/providers-healthy.ts';
import {storedVersions} from './checks/stored-versions.ts';
import {webhookCertificates} from './checks/webhook-certificates.ts';

export const checks: readonly Check[] = [
  apiReachable,
  apiVersion,
  accessRights,
  coreProvider,
  providersHealthy,
  providerContracts,
  clusterClass,
  namespaceExists,
  managementNodes,
  certManagerHealthy,
  webhookCertificates,
  clockSkew,
  storedVersions,
  awsIdentity,
  awsRegion,
  awsPermissions,
  awsKeyPair,
  awsQuotas,
];
