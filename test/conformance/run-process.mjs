/**
 * The suite in Node.js, Deno and Bun: run-process.mjs URL
 */
import * as frameseal from 'frameseal';
import * as awsKms from 'frameseal/aws-kms';
import * as awsKmsFetch from 'frameseal/aws-kms/fetch';
import { report } from './report.mjs';

const { bun, deno, node } = process.versions;
const about = bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node.js ${node}`;
await report({ ...frameseal, awsKms, awsKmsFetch }, about, process.argv[2]);
process.exit(); // connections that a client keeps open would hold it
