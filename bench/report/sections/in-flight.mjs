/** Small messages with several in flight at once. */
import { bars, isWide } from '../charts/bars.mjs';
import { digits, times } from '../numbers.mjs';
import { oursOf, parameter, ratioTo, reference, rowsOf, valuesOf } from '../rows.mjs';
import { barOf, captionOf, KINDS, kindOf, mainPeer, RATIO_NOTE } from './common.mjs';

export async function inFlight(report) {
  const runtime = reference(report);
  const rows = rowsOf(runtime, 'in-flight');
  const works = new Map(rows.map((row) => [workOf(row), []]));
  for (const row of rows) works.get(workOf(row)).push(row);
  const figures = [...works].map(([work, list]) => figureOf(work, list, runtime));
  const most = valuesOf(rows, 'inFlight').at(-1);
  return {
    id: 'in-flight',
    title: `In flight: messages for each second${most ? ` with up to ${most} at once` : ''}`,
    about: `${runtime.title}, one process. ${RATIO_NOTE}`,
    legend: KINDS.filter(({ kind }) =>
      rows.some((row) => Object.keys(row.candidates).some((name) => kindOf(row, name) === kind)),
    ),
    figures: await Promise.all(figures),
  };
}

function workOf(row) {
  return [parameter(row, 'verb'), parameter(row, 'suite')].filter(Boolean).join(', ');
}

async function figureOf(work, rows, runtime) {
  const blocks = rows.map((row) => ({
    heading: `${parameter(row, 'inFlight')} in flight`,
    bars: Object.keys(row.candidates).map((name) => barOf(row, name, kindOf(row, name))),
  }));
  const last = rows.at(-1);
  const peer = mainPeer(last);
  const count = parameter(last, 'inFlight');
  const title = peer ? `${work}: ${times(ratioTo(last, peer))} ${peer} with ${count} in flight` : work;
  const values = blocks.map(({ heading, bars: [{ value }] }) => `${digits(value)} with ${heading}`);
  const label = `${title}. ${oursOf(last)} in messages/s: ${values.join(', ')}.`;
  const caption = captionOf(last, runtime, 'messages/s', isWide(blocks));
  return { title, drawing: await bars(blocks, { label }), caption };
}
