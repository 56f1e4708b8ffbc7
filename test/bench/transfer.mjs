// A push of a bundle's bytes to 8 hosts against 8 parallel scp of the same files, connecting included on both sides; then a second push, which finds
// everything there: with connections of its own, and over connections that are open already, as they are when `apply` pushes.
import {createHash, randomFillSync} from 'node:crypto';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {report, runProcess, summaryOf, timed} from './measure.mjs';
import {startServers, whyNoServers} from './servers.mjs';

const hosts = 8;
const rounds = 5;
/** As in a bundle: a few large blobs and many smaller ones; 200 MiB in all. */
const sizes = [64, 40, 24, 16, ...Array.from({length: 14}, () => 4)].map((mebibytes) => mebibytes * 1024 * 1024);

export async function benchTransfer() {
  const reason = whyNoServers();
  if (reason !== undefined) return console.log(`push to ${hosts} hosts: skipped, ${reason}`);
  const {openRunner} = await import('../../build/ssh/ssh-runner.js');
  const {uploadBlobs} = await import('../../build/ssh/upload.js');
  const bed = await startServers(hosts);
  try {
    const blobs = await writeBlobs(join(bed.folder, 'blobs'));
    const targets = bed.servers.map(({name, home}) => ({target: {host: name, address: name, configFile: `${bed.folder}/ssh_config`}, folder: join(home, 'content')}));
    const pushOver = async (runner, folder) => {
      // what a push does first: one look at what the host has
      const {stdout} = await runner.run(`ls ${folder} 2>/dev/null || true`, {deadline: 30_000});
      const present = new Set(stdout.split('\n'));
      const missing = blobs.filter((blob) => !present.has(blob.digest.slice('sha256:'.length)));
      if (missing.length > 0) await uploadBlobs(runner, missing, {folder});
    };
    const push = async () => {
      await Promise.all(
        targets.map(async ({target, folder}) => {
          const runner = await openRunner(target);
          await pushOver(runner, folder);
          await runner.close();
        }),
      );
    };
    const openAll = () => Promise.all(targets.map(async ({target, folder}) => ({folder, runner: await openRunner(target)})));
    const pushAgain = async () => {
      const open = await openAll();
      const took = await timed(() => Promise.all(open.map(({runner, folder}) => pushOver(runner, folder))));
      await Promise.all(open.map(({runner}) => runner.close()));
      return took;
    };
    const empty = () => Promise.all(targets.map(({folder}) => rm(folder, {recursive: true, force: true})));
    const emptyScp = () => Promise.all(bed.servers.map(({home}) => rm(join(home, 'scp'), {recursive: true, force: true}).then(() => mkdir(join(home, 'scp')))));
    const scp = () => Promise.all(bed.servers.map(({name, home}) => runProcess('scp', ['-q', '-F', `${bed.folder}/ssh_config`, ...blobs.map((blob) => blob.path), `${name}:${home}/scp/`])));
    for (const {home} of bed.servers) await mkdir(join(home, 'scp'));
    const pairs = {scp: [], second: [], again: []};
    // the first round warms up: files into the page cache, code into the machine's
    for (let round = -1; round < rounds; round += 1) {
      const took = {};
      const sides = [
        async () => {
          took.first = await timed(push);
          took.second = await timed(push);
          took.again = await pushAgain();
          await empty();
        },
        async () => {
          took.scp = await timed(scp);
          await emptyScp();
        },
      ];
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side();
      if (round < 0) continue;
      pairs.scp.push({a: took.first, b: took.scp});
      pairs.second.push({a: took.second, b: took.first});
      pairs.again.push({a: took.again, b: took.first});
    }
    const mebibytes = sizes.reduce((sum, size) => sum + size, 0) / 1024 / 1024;
    report(`push of ${mebibytes} MiB to each of ${hosts} hosts against ${hosts} parallel scp`, summaryOf(pairs.scp), {goal: 1.2});
    report(`second push, nothing missing, over ${hosts} connections that are open, against the first`, summaryOf(pairs.again), {goal: 0.05, digits: 3});
    report(`    the same with ${hosts} connections opened for it`, summaryOf(pairs.second), {digits: 3});
  } finally {
    await bed.close();
  }
}

async function writeBlobs(folder) {
  await mkdir(folder);
  const {createReadStream} = await import('node:fs');
  return Promise.all(
    sizes.map(async (size, index) => {
      const path = join(folder, `blob${index}`);
      const bytes = randomFillSync(Buffer.alloc(size));
      await writeFile(path, bytes);
      return {path, size, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, stream: (start = 0) => createReadStream(path, {start})};
    }),
  );
}
