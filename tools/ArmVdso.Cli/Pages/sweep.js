// A sweep: a figure at all points, with its spread over the placements.
function sweepSection(w) {
  let chosen = 0;
  const groups = w.groups.map((g, i) => i), path = (i, key) => `sweep.groups.${i}.figures.${chosen}.${key}`;
  const there = () => groups.filter(i => w.groups[i].figures[chosen] !== null);
  const form = () => w.figures[chosen] === 'seconds' ? 'micro' : 'int';
  const chart = drawing('a figure at all points', width => spreads(width, there().map(i => ({
    label: w.groups[i].label, color: color(1), mean: path(i, 'mean'), least: path(i, 'least'), most: path(i, 'most'), as: form(),
  })), { label: `${w.figures[chosen]} at all points` }));
  const rows = h('div');
  const show = () => rows.replaceChildren(table(['point', 'mean', '± error', 'least', 'most', 'runs'], there().map(i => [
    name(w.groups[i].label), { from: path(i, 'mean'), as: form() }, { from: path(i, 'error'), as: form() },
    { from: path(i, 'least'), as: form() }, { from: path(i, 'most'), as: form() }, { from: path(i, 'runs') }]), { label: 'points' }));
  show();
  return [
    h('p', {}, num('sweep.points'), ' points were measured. The line spans least and most over placements of pages in RAM, '
      + 'the error is the standard error of the mean.'),
    h('div', { class: 'tools' }, h('select', { 'aria-label': 'figure', change: event => {
      chosen = event.target.selectedIndex;
      redraw(chart);
      show();
    } }, w.figures.map((one, i) => h('option', { selected: i === 0 }, one)))),
    chart, rows,
  ];
}

// rows: {label, color, mean, least, most} with paths: a bar from 0, and the span of what was seen.
function spreads(width, rows, options = {}) {
  const row = 40, top = 20, room = 96;
  const x = scaleOf(Math.max(...rows.map(r => at(r.most)), 0), Math.max(40, width - room), false);
  const svg = s('svg', { width, height: rows.length * row + 4, role: 'img', 'aria-label': options.label || '' });
  rows.forEach((r, i) => {
    const y = i * row + top, least = x(at(r.least)), most = x(at(r.most));
    svg.append(s('text', { x: 0, y: y - 6 }, printable(r.label)));
    svg.append(s('rect', { x: 0, y, width: Math.max(.75, x(at(r.mean))), height: 14, rx: 1.5, fill: r.color }));
    if (most - least >= 1)
      svg.append(s('path', { d: `M${least} ${y + 7}H${most}M${least} ${y + 3}v8M${most} ${y + 3}v8`, stroke: 'var(--text)',
        'stroke-width': 1.5 }));
    svg.append(s('text', { x: most + 6, y: y + 11, 'data-from': r.mean, 'data-as': r.as }, formats[r.as](at(r.mean))));
  });
  return svg;
}
