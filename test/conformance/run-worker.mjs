/**
 * The suite in workerd, as a worker: one request starts it, and names the URL where the task is and the runtime.
 */
import * as frameseal from 'frameseal';
import * as awsKmsFetch from 'frameseal/aws-kms/fetch';
import { report } from './report.mjs';

export default {
  async fetch(request) {
    const { about, url } = await request.json();
    await report({ ...frameseal, awsKmsFetch }, about, url);
    return new Response('reported');
  },
};
