// The local KMS in a process of its own, so that its CPU time is not in what is measured. Started by kms-process.mjs.
import process from 'node:process';
import { startLocalKms } from '../../dist/local-kms/index.js';

const regions = process.argv.slice(2);
const kms = await startLocalKms({ regions });
const keys = [];
for (const region of regions)
  keys.push({ region, arn: (await kms.createKey({ region })).arn, endpoint: kms.regionEndpoint(region) });

/** What the other process may ask for, by name. */
const answers = {
  setFault: (region, fault) => kms.setFault(region, fault),
  forget: () => void kms.requests.splice(0),
  requests: () => kms.requests.map(({ operation, region, outcome }) => ({ operation, region, outcome })),
};

process.on('message', ({ id, ask, args }) => process.send({ id, answer: answers[ask](...args) ?? null }));
process.on('disconnect', () => process.exit());
process.send({ keys, credentials: { ...kms.credentials } });
