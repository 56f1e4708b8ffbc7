// Preloaded into the program: hears how long each frame took, and writes all of them to $FRAME_PROBE when it is told to (SIGUSR2).
import {subscribe} from 'node:diagnostics_channel';
import {writeFileSync} from 'node:fs';

let frames = [];
subscribe('trireme:frame', ({ms}) => frames.push(ms));
process.on('SIGUSR2', () => {
  writeFileSync(process.env.FRAME_PROBE, JSON.stringify(frames));
  frames = [];
});
