// Objects of many tenants in R2, encrypted on their way in and decrypted on their way out, both as streams.
//
//   PUT /name   stores the body        GET /name   answers it, or a part of it where there is a Range header
//
// Nothing runs at module scope but definitions: workerd allows neither randomness nor timers nor I/O before a request.

import { failed } from './errors.js';
import { materialsManager } from './keys.js';
import { download, downloadRange, upload } from './objects.js';
import { isOneRange } from './range.js';

export default {
  async fetch(request, env) {
    const tenant = tenantOf(request, env);
    if (tenant === undefined) return new Response('no token, or an unknown one\n', { status: 401 });
    const name = nameOf(request);
    if (!name) return new Response('a name is needed: /name\n', { status: 400 });
    const cmm = materialsManager(env);
    const place = { key: `${tenant}/${name}`, encryptionContext: contextOf(env, tenant, name) };
    try {
      return await answer(request, env.OBJECTS, cmm, place);
    } catch (error) {
      return failed(error);
    }
  },
};

function answer(request, bucket, cmm, place) {
  const { method, headers } = request;
  if (method === 'PUT') return upload(bucket, cmm, place, request);
  if (method !== 'GET') return new Response(null, { status: 405, headers: { allow: 'GET, PUT' } });
  const range = headers.get('range');
  if (isOneRange(range)) return downloadRange(bucket, cmm, place, range);
  return download(bucket, cmm, place);
}

// What every object is bound to. It is authenticated, not secret: KMS writes it to its log.
function contextOf({ DATA_KEY_PER }, tenant, name) {
  return DATA_KEY_PER === 'tenant' ? { tenant } : { tenant, name };
}

// Put your own authentication here. The tenant comes from the token, never from the path.
function tenantOf(request, env) {
  const [, token] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  const tenants = new Map(Object.entries(JSON.parse(env.TOKENS)));
  return tenants.get(token);
}

function nameOf(request) {
  try {
    return decodeURIComponent(new URL(request.url).pathname.slice(1));
  } catch {
    return undefined;
  }
}
