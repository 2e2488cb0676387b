// A row whose measuring may fail: that is said in it, and stops no other.

/** @param about what the row says in any case; `measure` answers the rest of it */
export async function attempt(about, measure) {
  try {
    return { ...about, ...(await measure()) };
  } catch (error) {
    return { ...about, candidates: {}, failed: reasonOf(error) };
  }
}

// Of another process that has failed, the line in which it says so.
function reasonOf({ message, stderr }) {
  return /^\w*Error\b.*$/m.exec(stderr ?? '')?.[0] ?? message.split('\n')[0];
}
