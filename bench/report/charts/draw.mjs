/**
 * A Vega specification as SVG. Colours are the page's CSS variables, so that one drawing serves light and dark; every
 * drawing is WIDTH wide, which a telephone shows with readable letters, and the page puts several side by side.
 */
import { parse, View } from 'vega';
import { html, raw } from '../html.mjs';

export const WIDTH = 340;

const QUIET = 'var(--quiet)';
const AXIS = {
  domain: false,
  ticks: false,
  gridColor: 'var(--line)',
  labelColor: QUIET,
  labelFontSize: 11,
  labelPadding: 5,
  labelOverlap: false,
  labelBound: false,
  titleColor: QUIET,
  titleFontSize: 11,
  titleFontWeight: 'normal',
};

/** @param label says in words what the drawing shows */
export async function draw(specification, label) {
  const spec = {
    autosize: 'none',
    background: null,
    config: { font: 'inherit', axis: AXIS },
    ...specification,
  };
  const view = new View(parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return html`${raw(opening(svg, label))}${raw(slim(svg))}`;
}

function opening(svg, label) {
  const box = /viewBox="([^"]+)"/.exec(svg)[1];
  return html`<svg role="img" aria-label="${label}" viewBox="${box}">`.text;
}

// The label says it all: names of single marks, and the invisible frames of groups, are left out. A drawing is not finer
// than a tenth of a pixel.
function slim(svg) {
  return svg
    .slice(svg.indexOf('>') + 1)
    .replaceAll(/<path class="(back|fore)ground"[^>]*\/>/g, '')
    .replaceAll(/ (role|aria-[a-z]+|class|pointer-events|font-family|opacity)="[^"]*"/g, '')
    .replaceAll(/<[^>]+>/g, (tag) => tag.replaceAll(/\d+\.\d{2,}/g, (number) => Number(number).toFixed(1)))
    .replaceAll('<g></g>', '');
}

/** A text mark's encoding. */
export function text(fields) {
  const { size = 12, fill = 'var(--ink)', ...rest } = fields;
  return {
    enter: { fontSize: { value: size }, fill: { value: fill }, baseline: { value: 'middle' }, ...rest },
  };
}
