/**
 * One line that says what is being measured; on a terminal it is rewritten, elsewhere only a change of group is told.
 */

/** @returns a function that shows a text; the empty one clears the line. */
export function progressLine(stream) {
  if (stream.isTTY) return (text) => stream.write(`\r\x1b[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
  let last;
  return (text) => {
    const [group] = text.split(/ \d|:/);
    if (text !== '' && group !== last) stream.write(`${group}\n`);
    last = group;
  };
}
