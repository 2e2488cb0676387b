/** The KMS calls of one request on a time line. */
import { bars } from '../charts/bars.mjs';
import { digits } from '../numbers.mjs';
import { PUBLISHED_SDK } from '../rows.mjs';

const MILLISECONDS = (value) => `${digits(value)} ms`;

export async function kms({ runtimes }) {
  const rows = runtimes.flatMap(({ rows }) => rows.filter(({ spans }) => spans));
  const figures = rows.flatMap((row) => Object.keys(row.spans).map((candidate) => figureOf(row, candidate)));
  return {
    id: 'kms',
    title: `KMS: ${rows.length > 0 ? told(rows[0]) : 'calls on a time line'}`,
    about: 'Each bar is one call, from its start to its answer; the KMS takes the same time for every call.',
    legend: [
      { kind: 'ours', text: 'frameseal' },
      { kind: 'sdk', text: 'the published SDK' },
      ...(rows.some(hasFailed) ? [{ kind: 'failed', text: 'a call that failed' }] : []),
    ],
    figures: await Promise.all(figures),
  };
}

function told({ spans, parameters }) {
  const ends = Object.entries(spans)
    .filter(([candidate], index) => index === 0 || PUBLISHED_SDK.test(candidate))
    .map(([candidate, list]) => `${candidate} ${MILLISECONDS(lastEnd(list))}`);
  const { verb = 'encrypt', regions } = parameters;
  return `${verb} with ${regions ?? 'several'} regions, last answer: ${ends.join(', ')}`;
}

function lastEnd(list) {
  return Math.round(Math.max(...list.map(({ end }) => end)));
}

function hasFailed({ spans }) {
  return Object.values(spans).flat().some(isFailed);
}

function isFailed({ outcome = 'ok' }) {
  return outcome !== 'ok';
}

async function figureOf(row, candidate) {
  const list = row.spans[candidate];
  const most = Math.max(
    ...Object.values(row.spans)
      .flat()
      .map(({ end }) => end),
  );
  const kind = PUBLISHED_SDK.test(candidate) ? 'sdk' : 'ours';
  const blocks = list.map((span) => ({
    heading: `${span.operation}, ${span.region}${isFailed(span) ? `: ${span.outcome}` : ''}`,
    bars: [barOf(span, isFailed(span) ? 'failed' : kind)],
  }));
  const about = row.name.replace(/^waterfall:? ?/, '');
  const calls = `${list.length} call${list.length === 1 ? '' : 's'} in ${MILLISECONDS(lastEnd(list))}`;
  const title = `${candidate}: ${calls}${about && `; ${about}`}`;
  const texts = list.map(
    ({ operation, region, start, end }) => `${operation} in ${region} ${round(start)} to ${round(end)}`,
  );
  const drawing = await bars(blocks, {
    label: `${title}. In ms: ${texts.join(', ')}.`,
    logarithmic: false,
    most,
  });
  return { title, drawing, caption: 'milliseconds from the start of the request; rows of “kms”' };
}

function barOf({ start, end }, kind) {
  return { from: start, value: end, text: `${round(start)} – ${round(end)}`, kind };
}

function round(milliseconds) {
  return Math.round(milliseconds);
}
