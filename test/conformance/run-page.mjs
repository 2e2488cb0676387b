/**
 * The suite in a page, as its bundled script: the server that it comes from is the KMS too.
 */
import * as frameseal from 'frameseal';
import * as awsKmsFetch from 'frameseal/aws-kms/fetch';
import { report } from './report.mjs';

await report({ ...frameseal, awsKmsFetch }, navigator.userAgent, new URL('./', location.href).href);
