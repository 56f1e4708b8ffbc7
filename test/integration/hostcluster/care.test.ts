import {it, beforeAll, afterAll} from 'vitest';
import {startTestSandbox, type TestSandbox} from '../../support/sandbox-run.ts';
let s: TestSandbox;
beforeAll(async () => { s = await startTestSandbox({controlPlanes: 1, workers: 1}); }, 60000);
afterAll(() => s?.stop());
it('dev', async () => {
const show = async (args: string[], opt = {}) => {const t=Date.now(); const r = await s.trireme(args, opt); console.log(`$ trireme ${args.join(' ')}  -> ${r.code} (${Date.now()-t} ms)\n${r.stdout}\n${r.stderr}`); return r;};
  await show(['apply','--yes','-q']);
  await show(['cluster','certificates']);
  await show(['cluster','certificates','--renew','--yes']);
  await show(['cluster','certificates','--renew','--all','--yes']);
  const env={TRIREME_BACKUP_PASSPHRASE:'correct horse battery'};
  await show(['cluster','backup'],{});
  await show(['cluster','backup','--out','b.backup'],{env});
  await show(['cluster','restore','b.backup','--yes'],{env:{TRIREME_BACKUP_PASSPHRASE:'wrong horse battery'}});
  await show(['cluster','restore','b.backup','--yes'],{env});
}, 120000);
