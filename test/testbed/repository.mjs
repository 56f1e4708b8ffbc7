#!/usr/bin/env node
// A local provider repository as clusterctl reads one, made from the modules' own kustomizations and templates, and from cert-manager's chart.
//   repository.mjs [ROOT]      default $TESTBED/repository; prints the path of its clusterctl.yaml
// ROOT/<provider label>/<version>/{core,bootstrap,control-plane,infrastructure}-components.yaml, metadata.yaml, cluster-template*.yaml, clusterclass-*.yaml;
// ROOT/cert-manager/<version>/cert-manager.yaml; ROOT/clusterctl.yaml names them all. Images are those of images.mjs, by the names of the releases.
import {execFileSync} from 'node:child_process';
import {copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {stringify} from 'yaml';
import {providers} from './cluster-api.mjs';
import {cache, defaultKubernetes, managerImages, moduleFolder, programs, versions} from './parts.mjs';

/** What a release does to a kustomization: the image of the release, pulled only where it isn't there. */
const release = (text, image) => {
  const [name] = /[^/]+(?=:[^:]+$)/.exec(image);
  const released = text.replace(new RegExp(` image: \\S+/${name}:main$`, 'm'), ` image: ${image}`).replace(/^( +)imagePullPolicy: Always$/m, '$1imagePullPolicy: IfNotPresent');
  if (!released.includes(` image: ${image}\n`)) throw new Error(`the components don't name the image ${name}`);
  return released;
};

const certManager = () => {
  const helm = join(programs('helm', versions.helm), 'helm');
  const source = moduleFolder('cert-manager', 'github.com/cert-manager/cert-manager');
  const work = mkdtempSync(join(tmpdir(), 'trireme-chart-'));
  try {
    const chart = join(work, 'cert-manager');
    cpSync(join(source, 'deploy/charts/cert-manager'), chart, {recursive: true});
    execFileSync('chmod', ['-R', 'u+w', chart]);
    writeFileSync(join(chart, 'Chart.yaml'), readFileSync(join(chart, 'Chart.yaml'), 'utf8').replaceAll('v0.0.0', versions.certManager));
    const options = ['--namespace', 'cert-manager', '--set', 'crds.enabled=true', '--set', 'startupapicheck.enabled=false'];
    const rendered = execFileSync(helm, ['template', 'cert-manager', chart, ...options], {encoding: 'utf8', maxBuffer: 1 << 27, env: {...process.env, HOME: work}});
    return `${readFileSync(join(source, 'deploy/manifests/namespace.yaml'), 'utf8').trim()}\n${rendered}`;
  } finally {
    rmSync(work, {recursive: true, force: true});
  }
};

/** Makes the repository anew, whole or not at all; returns the path of its clusterctl.yaml. */
export const makeRepository = (root = join(cache, 'repository')) => {
  const part = `${root}.part-${process.pid}`;
  rmSync(part, {recursive: true, force: true});
  const kubectl = join(programs('kubernetes', defaultKubernetes), 'kubectl');
  const version = versions.clusterApi;
  const core = moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api');
  const test = moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api/test');
  const named = [];
  for (const provider of providers()) {
    const folder = join(provider.label, version);
    const file = `${{CoreProvider: 'core', BootstrapProvider: 'bootstrap', ControlPlaneProvider: 'control-plane', InfrastructureProvider: 'infrastructure'}[provider.type]}-components.yaml`;
    mkdirSync(join(part, folder), {recursive: true});
    const components = execFileSync(kubectl, ['kustomize', '--load-restrictor=LoadRestrictionsNone', join(provider.config, 'default')], {encoding: 'utf8', maxBuffer: 1 << 27});
    writeFileSync(join(part, folder, file), release(components, managerImages[provider.program]));
    copyFileSync(join(core, 'metadata.yaml'), join(part, folder, 'metadata.yaml'));
    named.push({name: provider.name, type: provider.type, url: join(root, folder, file)});
  }
  const templates = join(test, 'infrastructure/docker/templates');
  for (const name of readdirSync(templates)) copyFileSync(join(templates, name), join(part, 'infrastructure-docker', version, name));
  const manifest = join('cert-manager', versions.certManager, 'cert-manager.yaml');
  mkdirSync(join(part, 'cert-manager', versions.certManager), {recursive: true});
  writeFileSync(join(part, manifest), certManager());
  const configuration = {providers: named, 'cert-manager': {url: join(root, manifest), version: versions.certManager}, CLUSTER_TOPOLOGY: 'true'};
  writeFileSync(join(part, 'clusterctl.yaml'), stringify(configuration, {lineWidth: 0}));
  // what comes from the module cache is read-only
  execFileSync('chmod', ['-R', 'u+w', part]);
  rmSync(root, {recursive: true, force: true});
  renameSync(part, root);
  return join(root, 'clusterctl.yaml');
};

if (process.argv[1] === import.meta.filename) console.log(makeRepository(process.argv[2] === undefined ? undefined : resolve(process.argv[2])));
