// What the examples show on a terminal: a progress bar and a table.

const WIDTH = 24;

/** Fails the whole program. */
export function fail(message) {
  throw new Error(message);
}

/** A bar that is redrawn in place on a terminal, and one finished line anywhere else. */
export function progressBar(label, total) {
  const { stdout } = process;
  let shown = -1;
  const line = (bytes) => {
    const filled = total === 0 ? WIDTH : Math.round((bytes / total) * WIDTH);
    return `  [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${label}`;
  };
  return {
    show(bytes) {
      const percent = Math.floor((bytes / total) * 100);
      if (!stdout.isTTY || percent === shown) return;
      shown = percent;
      stdout.write(`\r${line(bytes)} ${percent} %`);
    },
    done() {
      stdout.write(`${stdout.isTTY ? '\r' : ''}${line(total)}${stdout.isTTY ? ' 100 %' : ''}\n`);
    },
  };
}

/** Rows under a head; all columns but the first are aligned to the right. */
export function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const lines = all.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
    );
    return `  ${cells.join('   ')}`;
  });
  lines.splice(1, 0, `  ${'-'.repeat(lines[0].length - 2)}`);
  return lines.join('\n');
}
