// Simulated hosts with a cluster on them, in a process of its own, so that what they cost isn't the operator's: says how they are reached, and ends with its input.
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {startSandbox} from '../../build/sandbox/sandbox.js';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const sandbox = await startSandbox({controlPlanes: 1, workers: Number(process.argv[2]) - 1});
process.stdin.resume();
process.stdin.on('end', () => sandbox.stop().then(() => process.exit(0)));
const apply = spawn(process.execPath, [program, 'apply', '--yes', '--timeout', '15m'], {env: {...process.env, ...sandbox.env}, stdio: ['ignore', 'ignore', 'pipe']});
let said = '';
apply.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-4000)));
const code = await new Promise((resolve) => apply.on('close', resolve));
const hosts = sandbox.hosts.map(({name, port}) => ({name, port}));
console.log(JSON.stringify(code === 0 ? {folder: sandbox.folder, file: sandbox.file, env: sandbox.env, hosts} : {problem: said}));
