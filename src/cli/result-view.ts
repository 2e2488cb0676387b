/**
 * What became of a message, for people and for machines.
 */
import { dataKeyJson, headerJson, keyNames } from './header-view.ts';
import type { Moved } from './move.ts';
import { type Job, STDIO } from './plan.ts';
import { byteText } from './progress.ts';

/** As the fields of a JSON line. */
export function movedJson(moved: Moved, dryRun: boolean): object {
  const { bytesRead, bytesWritten, header, authenticatedContext, dataKey, removedSidecar } = moved;
  const { remaining, added, sidecarKeys } = moved;
  return {
    bytesRead,
    bytesWritten,
    header: headerJson(header),
    ...(authenticatedContext && { authenticatedContext }),
    ...(dataKey && { dataKey }),
    ...(remaining && { remaining: remaining.map(dataKeyJson) }),
    ...(removedSidecar !== undefined && { removedSidecar }),
    ...(added && { added: added.map(dataKeyJson) }),
    ...(sidecarKeys && { sidecarKeys: sidecarKeys.map(dataKeyJson) }),
    ...(dryRun && { dryRun }),
  };
}

/** As a line of text. */
export function movedText(job: Job, moved: Moved, dryRun: boolean): string {
  if (moved.added !== undefined) return addedText(job, moved, dryRun);
  if (moved.dataKey !== undefined) return rewrappedText(job, moved, dryRun);
  return `${arrow(job)} (${byteText(moved.bytesWritten)})`;
}

function addedText({ input, output }: Job, { added = [], sidecarKeys = [] }: Moved, dryRun: boolean): string {
  const all = sidecarKeys.length === added.length ? '' : `, ${sidecarKeys.length} data keys there in all`;
  return `${input}: ${dryRun ? 'would add' : 'added'} ${keyNames(added)} in ${output}${all}`;
}

function rewrappedText(job: Job, moved: Moved, dryRun: boolean): string {
  const { header, dataKey, remaining = [], removedSidecar } = moved;
  const where = job.renews ? job.input : arrow(job);
  const old = remaining.length === 0 ? '' : ` (from before: ${keyNames(remaining)})`;
  const gone = removedSidecar === undefined ? '' : `; ${removedSidecar} is removed`;
  const what = dryRun ? 'would be rewrapped' : 'rewrapped';
  return `${where}: ${what}, data key ${dataKey}, opens with ${keyNames(header.encryptedDataKeys)}${old}${gone}`;
}

function arrow({ input, output }: Job): string {
  const name = (path: string, standard: string) => (path === STDIO ? standard : path);
  return `${name(input, 'standard input')} -> ${name(output, 'standard output')}`;
}
