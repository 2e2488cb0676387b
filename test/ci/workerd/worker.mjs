// The worker: seals and opens what it is sent, with the options that come along, and says what its engines are.
import { decrypt, encrypt, FramesealError, rawAesKeyring, warmUp } from 'frameseal';

const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: new Uint8Array(32).fill(1) });
// The shortest module there is.
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

export default { fetch: answer };

async function answer(request) {
  const { pathname } = new URL(request.url);
  try {
    if (pathname === '/report') return Response.json(await warmUp());
    if (pathname === '/compiles-bytes') return Response.json(compilesBytes());
    const options = { keyring, ...JSON.parse(request.headers.get('options')) };
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (pathname === '/encrypt') return new Response((await encrypt(bytes, options)).ciphertext);
    return new Response((await decrypt(bytes, options)).plaintext);
  } catch (error) {
    if (error instanceof FramesealError) return new Response(error.code, { status: 422 });
    return new Response(`${error.name}: ${error.message}`, { status: 500 });
  }
}

function compilesBytes() {
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
