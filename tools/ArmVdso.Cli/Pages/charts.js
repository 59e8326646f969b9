// Charts: labels stand above their bars, so that they fit at any width.
function scaleOf(most, width, log) {
  if (log) {
    const top = Math.log10(Math.max(10, most) + 1);
    return value => value <= 0 ? 0 : width * Math.log10(value + 1) / top;
  }
  return value => most <= 0 ? 0 : width * value / most;
}

function textWidth(text, size = 12.5) {
  return String(text).length * size * .58;
}

// A step of 1, 2 or 5 times a power of ten that makes at most so many ticks.
function ticks(most, count) {
  if (most <= 0)
    return [0];
  let step = Math.pow(10, Math.floor(Math.log10(most / count)));
  while (most / step > count)
    step *= most / (step * 2) <= count ? 2 : most / (step * 5) <= count ? 5 : 10;
  const list = [];
  for (let value = 0; value <= most * 1.0001; value += step)
    list.push(value);
  return list;
}

function short(value) {
  for (const [unit, letter] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (Math.abs(value) >= unit)
      return +(value / unit).toPrecision(3) + letter;
  }
  return String(+value.toPrecision(3));
}

// rows: {label, parts: [{value, color, title}], from, as}: bars of parts side by side, and the row's figure behind them.
function bars(width, rows, options = {}) {
  const left = 0, row = 40, top = 20, room = options.room || 92;
  const most = Math.max(...rows.map(r => r.parts.reduce((sum, p) => sum + p.value, 0)), 0);
  const span = Math.max(40, width - left - room), x = scaleOf(most, span, options.log);
  const svg = s('svg', { width, height: rows.length * row + 24, role: 'img', 'aria-label': options.label || '' });
  const marks = options.log
    ? Array.from({ length: Math.ceil(Math.log10(most + 1)) + 1 }, (_, i) => Math.pow(10, i)).filter(v => v <= most)
    : ticks(most, Math.max(2, Math.min(6, Math.floor(span / 70))));
  for (const value of marks) {
    const px = Math.round(left + x(value)) + .5;
    svg.append(s('line', { class: 'grid', x1: px, x2: px, y1: 0, y2: rows.length * row }));
    svg.append(s('text', { class: 'soft', x: px, y: rows.length * row + 16,
      'text-anchor': value === 0 ? 'start' : 'middle' },
      (options.ticks || short)(value)));
  }
  rows.forEach((r, i) => {
    const y = i * row;
    svg.append(s('text', { x: left, y: y + top - 6 }, printable(r.label), r.note ? s('tspan', { class: 'soft', dx: 10 }, r.note) : null));
    let sum = 0;
    for (const part of r.parts) {
      const from = x(sum), to = x(sum += part.value);
      if (part.value > 0) {
        svg.append(s('rect', { x: left + from, y: y + top, width: Math.max(.75, to - from), height: 14, rx: 1.5, fill: part.color },
          s('title', {}, part.title || '')));
      }
    }
    if (r.from)
      svg.append(s('text', { x: left + x(sum) + 6, y: y + top + 11, 'data-from': r.from, 'data-as': r.as || 'int' },
        formats[r.as || 'int'](at(r.from))));
  });
  return svg;
}

// rows: {label, ends: [{low, mid, high, color}]} with paths: what a figure is when the calibrated numbers are at the ends of their ranges.
function ranges(width, rows, options = {}) {
  // Where there is no room beside each other, the ends stand below each other.
  const below = width < 560 ? 17 : 0;
  const row = 40 + below, top = 20, room = 130;
  const most = Math.max(...rows.flatMap(r => r.ends.map(e => at(e.high))), 0);
  const x = scaleOf(most, Math.max(40, width - room), false);
  const svg = s('svg', { width, height: rows.length * row + 4, role: 'img', 'aria-label': options.label || '' });
  const figure = path => s('tspan', { 'data-from': path, 'data-as': 'int' }, formats.int(at(path)));
  rows.forEach((r, i) => {
    svg.append(s('text', { x: 0, y: i * row + top - 6 }, printable(r.label)));
    r.ends.forEach((end, k) => {
      const y = i * row + top + 7 + k * below;
      const low = x(at(end.low)), high = x(at(end.high)), mid = x(at(end.mid));
      svg.append(s('line', { x1: low, x2: Math.max(high, low + 2), y1: y, y2: y, stroke: end.color, 'stroke-width': 6,
        'stroke-opacity': .45 }));
      svg.append(s('circle', { cx: mid, cy: y, r: 4, fill: end.color }));
      svg.append(s('text', { x: Math.max(high, mid) + 8, y: y + 4 }, figure(end.mid), ' (', figure(end.low), '–', figure(end.high), ')'));
    });
  });
  return svg;
}

// series: {label, color, points: [{x, from}]} over powers of two; equal series are one line.
function lines(width, series, options = {}) {
  const height = 240, left = 44, bottom = 34, top = 10, right = 12;
  const joined = [];
  for (const one of series) {
    const same = joined.find(j => JSON.stringify(j.points.map(p => at(p.from))) === JSON.stringify(one.points.map(p => at(p.from))));
    if (same)
      same.label += ', ' + one.label;
    else
      joined.push({ ...one });
  }
  const values = joined.flatMap(j => j.points.map(p => at(p.from))).filter(v => v !== null);
  const xs = joined[0].points.map(p => p.x);
  const most = Math.max(...values, 1);
  const px = i => left + (width - left - right) * (xs.length === 1 ? 0 : i / (xs.length - 1));
  const scale = scaleOf(most, height - bottom - top, options.log);
  const py = value => height - bottom - scale(value);
  const svg = s('svg', { width, height, role: 'img', 'aria-label': options.label || '' });
  const marks = options.log ? [1, 10, 100, 1000, 10000].filter(v => v <= most) : ticks(most, 5);
  for (const value of marks) {
    svg.append(s('line', { class: 'grid', x1: left, x2: width - right, y1: py(value), y2: py(value) }));
    svg.append(s('text', { class: 'soft', x: left - 6, y: py(value) + 4, 'text-anchor': 'end' }, short(value)));
  }
  xs.forEach((value, i) => svg.append(s('text', { class: 'soft', x: px(i), y: height - bottom + 16,
    'text-anchor': i === 0 ? 'start' : i === xs.length - 1 ? 'end' : 'middle' }, value)));
  svg.append(s('text', { class: 'soft', x: (left + width) / 2, y: height - 3, 'text-anchor': 'middle' }, options.axis || ''));
  for (const one of joined) {
    const points = one.points.map((p, i) => [px(i), at(p.from)]).filter(p => p[1] !== null);
    svg.append(s('polyline', { points: points.map(p => `${p[0]},${py(p[1])}`).join(' '), fill: 'none', stroke: one.color,
      'stroke-width': 2 }));
    points.forEach(p => svg.append(s('circle', { cx: p[0], cy: py(p[1]), r: 3.2, fill: one.color },
      s('title', {}, `${one.label}: ${formats.int(p[1])}`))));
  }
  return [svg, key(joined.map(j => [j.label, j.color]))];
}
