/** The bucket for the test: many objects in one request, in base64. */

const AT_ONCE = 6;

/** POST /put: objects with their options; POST /get: names, answered by the objects. */
export async function access(request, { OBJECTS }) {
  const { pathname } = new URL(request.url);
  const job = pathname === '/put' ? put : get;
  return Response.json(await inTurn(await request.json(), (each) => job(OBJECTS, each)));
}

async function put(bucket, { name, content, ...options }) {
  return (await bucket.put(name, Uint8Array.fromBase64(content), options)).etag;
}

async function get(bucket, name) {
  const object = await bucket.get(name);
  const { httpMetadata, customMetadata } = object;
  return { content: new Uint8Array(await object.arrayBuffer()).toBase64(), httpMetadata, customMetadata };
}

async function inTurn(values, job) {
  const results = [];
  const queue = values.entries();
  const next = async () => {
    for (const [i, value] of queue) results[i] = await job(value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return results;
}
