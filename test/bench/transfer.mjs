// A push of a bundle's bytes to 8 hosts against 8 parallel scp of the same files; then a second push, which finds everything there.
import {createHash, randomFillSync} from 'node:crypto';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {compare, median, report, runProcess} from './measure.mjs';
import {startServers, whyNoServers} from './servers.mjs';

const hosts = 8;
/** As in a bundle: a few large blobs and many smaller ones; 200 MiB in all. */
const sizes = [64, 40, 24, 16, ...Array.from({length: 14}, () => 4)].map((mebibytes) => mebibytes * 1024 * 1024);

export async function benchTransfer() {
  const reason = whyNoServers();
  if (reason !== undefined) return console.log(`push to ${hosts} hosts: skipped, ${reason}`);
  const {openRunner} = await import('../../dist/ssh/ssh-runner.js');
  const {uploadBlobs} = await import('../../dist/ssh/upload.js');
  const bed = await startServers(hosts);
  try {
    const blobs = await writeBlobs(join(bed.folder, 'blobs'));
    const targets = bed.servers.map(({name, home}) => ({target: {host: name, address: name, configFile: `${bed.folder}/ssh_config`}, folder: join(home, 'content')}));
    const push = async () => {
      await Promise.all(
        targets.map(async ({target, folder}) => {
          const runner = await openRunner(target);
          // what a push does first: one look at what the host has
          const {stdout} = await runner.run(`ls ${folder} 2>/dev/null || true`, {deadline: 30_000});
          const present = new Set(stdout.split('\n'));
          const missing = blobs.filter((blob) => !present.has(blob.digest.slice('sha256:'.length)));
          if (missing.length > 0) await uploadBlobs(runner, missing, {folder});
          await runner.close();
        }),
      );
    };
    const empty = () => Promise.all(targets.map(({folder}) => rm(folder, {recursive: true, force: true})));
    const first = async () => push();
    const scp = () => Promise.all(bed.servers.map(({name, home}) => runProcess('scp', ['-q', '-F', `${bed.folder}/ssh_config`, ...blobs.map((blob) => blob.path), `${name}:${home}/scp/`])));
    for (const {home} of bed.servers) await mkdir(join(home, 'scp'));
    const ours = [];
    const result = await compare(
      async () => {
        const started = Date.now();
        await first();
        ours.push(Date.now() - started);
      },
      scp,
      {runs: 3, between: empty},
    );
    report(`push of ${sizes.reduce((sum, size) => sum + size, 0) / 1024 / 1024} MiB to ${hosts} hosts against ${hosts} parallel scp`, result, 1.2);
    await push();
    const again = [];
    for (let run = 0; run < 3; run += 1) {
      const started = Date.now();
      await push();
      again.push(Date.now() - started);
    }
    const ratio = median(again) / median(ours);
    console.log(`second push, nothing missing\n    ${median(again)} ms against ${median(ours)} ms: ratio ${ratio.toFixed(3)}   goal <= 0.05: ${ratio <= 0.05 ? 'met' : 'MISSED'}`);
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
