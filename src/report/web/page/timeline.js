// SPDX-License-Identifier: MIT
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { nodeSums, total } from './model.js';
import { sizeText } from './text.js';

/** A chart of what each snapshot holds over time; SELECT is called with the number of the one that is clicked. */
export function showTimeline(box, model, state, select) {
  const order = model.snapshots.map((_, i) => i);
  const timed = model.snapshots.every((snapshot) => snapshot.facts.time);
  if (timed) order.sort((a, b) => model.snapshots[a].facts.time - model.snapshots[b].facts.time);
  const x = order.map((i, position) => (timed ? model.snapshots[i].facts.time : position));
  const totals = (domain) => order.map((i) => total(nodeSums(model, i, { figure: state.figure, domain }).size));
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--text');
  const axis = { stroke: colour, grid: { stroke: '#8884' }, ticks: { stroke: '#8888' } };
  box.replaceChildren();
  const plot = new uPlot({
    width: Math.max(200, box.clientWidth - 20), height: Math.max(200, Math.min(420, innerHeight - 220)),
    scales: { x: { time: timed }, y: { range: (_, low, high) => [0, high * 1.1 || 1] } },
    axes: [axis, { ...axis, size: 80, values: (_, values) => values.map(sizeText) }],
    series: [{}, { label: 'Python and native', stroke: '#c0392b', width: 2, points: { show: true, size: 8 }, value: (_, v) => (v === null ? '' : sizeText(v)) },
      { label: 'Python', stroke: '#1f6fb2', width: 2, points: { show: true, size: 8 }, value: (_, v) => (v === null ? '' : sizeText(v)) }],
  }, [x, totals('all'), totals('python')], box);
  plot.over.addEventListener('click', () => plot.cursor.idx !== null && select(order[plot.cursor.idx]));
}
