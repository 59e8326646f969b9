// A schedule of check: each step in the lane of its CPU, events across all lanes.
function schedule(one, path) {
  const cpus = Math.max(...one.steps.map(step => step.cpu)) + 1;
  const lane = 18, width = cpus * lane;
  const rail = step => {
    const svg = s('svg', { width, height: 20, 'aria-hidden': 'true' });
    for (let i = 0; i < cpus; i++)
      svg.append(s('line', { class: 'axis', x1: i * lane + 9, x2: i * lane + 9, y1: 0, y2: 20 }));
    const x = step.cpu * lane + 9;
    if (step.kind === 'event')
      svg.append(s('rect', { x: 1, y: 8, width: width - 2, height: 4, rx: 2, fill: 'var(--accent)' }));
    else if (step.kind === 'exception')
      svg.append(s('path', { d: `M${x - 5} 6h10l-5 9z`, fill: color(6) }));
    else if (step.cpu >= 0 && step.el === 0)
      svg.append(s('circle', { cx: x, cy: 10, r: 5, fill: color(1 + step.cpu) }));
    else if (step.cpu >= 0)
      svg.append(s('rect', { x: x - 4, y: 4, width: 8, height: 12, rx: 2, fill: 'none', stroke: color(1 + step.cpu), 'stroke-width': 2 }));
    return h('td', { class: 'rail' }, svg);
  };
  const rows = one.steps.map((step, i) => {
    const from = `${path}.steps.${i}`;
    if (step.kind === 'event' || step.kind === 'cast')
      return h('tr', { class: step.kind }, rail(step), h('td', { colspan: 3 }, word(`${from}.text`)));
    if (step.kind === 'verdict')
      return h('tr', { class: 'verdict' }, rail(step), h('td', { colspan: 3, class: one.held ? 'good' : 'bad' }, word(`${from}.text`)));
    const cpu = h('td', {}, `cpu${step.cpu} EL${step.el}`);
    if (step.kind === 'function')
      return h('tr', {}, rail(step), cpu, h('td', { colspan: 2 }, word(`${from}.where`), ': ', num(`${from}.count`), ' instructions'));
    return h('tr', {}, rail(step), cpu, h('td', {}, word(`${from}.where`)),
      h('td', {}, word(`${from}.text`), step.effects ? [' ', h('span', { class: 'soft' }, word(`${from}.effects`))] : null));
  });
  return [
    h('h3', {}, h('code', {}, word(`${path}.id`)), one.mutant ? [' with the fault ', h('code', {}, word(`${path}.mutant`))] : null),
    one.file && h('p', {}, 'One of ', num(`${path}.failing`), ' failing schedules in ', word(`${path}.file`),
      one.left_out ? ['; ', num(`${path}.left_out`), ' are not drawn'] : null, '.'),
    key([...Array.from({ length: cpus }, (_, i) => [`cpu${i} (filled: EL0, hollow: EL1)`, color(1 + i)]),
      ['what happens from outside', 'var(--accent)'], ['exception', color(6)]]),
    h('div', { class: 'wide steps', tabindex: 0, role: 'region', 'aria-label': 'steps' }, h('table', {}, h('tbody', {}, rows))),
  ];
}
