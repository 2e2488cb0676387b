// What this folder measures against: packages of bench/peers, each behind a file there.

/**
 * @param files names in bench/peers, without `.mjs`
 * @throws Error that says what to run, where the packages have not been installed
 */
export async function loadPeers(...files) {
  try {
    return await Promise.all(files.map((file) => import(`../peers/${file}.mjs`)));
  } catch (error) {
    throw notInstalled(error);
  }
}

function notInstalled(error) {
  if (!/NOT_FOUND|ENOENT/.test(error?.code)) return error;
  const advice = 'the libraries to compare with are not installed: run npm ci --prefix bench/peers';
  return new Error(`${advice} (${error.message.split('\n')[0]})`, { cause: error });
}
