// Loaded before a program (node --import): says on standard error how much memory it took at most, in KiB.
import {writeSync} from 'node:fs';

process.on('exit', () => writeSync(2, `peak-memory ${process.resourceUsage().maxRSS} cpu ${Math.round((process.resourceUsage().userCPUTime + process.resourceUsage().systemCPUTime) / 1000)}\n`));
