// The timeline: what each CPU runs and has in TPIDRRO_EL0, and what the threads are in. Spans that are narrower than a pixel are drawn as
// one, so that what is drawn depends on the width and not on the number of events.
const kindsOf = { sched_switch: 'switch', sched_migrate_task: 'migration', tpidrro_write: 'offset' };
const taskColor = task => color(1 + (task % 8));
const callColors = { vdso: color(3), sys: color(2), fault: color(6), irq: color(0) };
const threadLanes = 12;

function laneData(t) {
  const kinds = t.kinds, lanes = { cpus: [], threads: new Map(), moves: [], end: 1 };
  for (let i = 0; i < t.cpus; i++)
    lanes.cpus.push({ run: [], register: [], writes: [], task: -1, since: 0, value: null, valueSince: 0 });
  const thread = task => {
    if (!lanes.threads.has(task))
      lanes.threads.set(task, { task, run: [], calls: [], open: [], events: 0 });
    return lanes.threads.get(task);
  };
  const stop = (cpu, index, cycle) => {
    if (cpu.task >= 0 && cycle > cpu.since && t.tasks[cpu.task][0] > 0) {
      cpu.run.push([cpu.since, cycle, cpu.task]);
      thread(cpu.task).run.push([cpu.since, cycle, index]);
    }
  };
  for (const [kind, cycle, index, task, label, value] of t.events) {
    const what = kinds[kind], cpu = lanes.cpus[index];
    lanes.end = Math.max(lanes.end, cycle);
    if (t.tasks[task][0] > 0)
      thread(task).events++;
    if (what === 'sched_switch') {
      stop(cpu, index, cycle);
      [cpu.task, cpu.since] = [task, cycle];
    } else if (what === 'sched_migrate_task') {
      lanes.moves.push([cycle, value, index, task]);
    } else if (what === 'tpidrro_write') {
      if (cpu.value !== null)
        cpu.register.push([cpu.valueSince, cycle, cpu.value, cpu.valueTask]);
      [cpu.value, cpu.valueSince, cpu.valueTask] = [value, cycle, task];
      cpu.writes.push(cycle);
    } else if (t.tasks[task][0] > 0 && what.endsWith('_enter')) {
      thread(task).open.push([cycle, what.slice(0, -6), label]);
    } else if (t.tasks[task][0] > 0 && what.endsWith('_exit')) {
      const open = thread(task).open, of = what.slice(0, -5);
      if (open.some(o => o[1] === of)) {
        let last;
        do {
          last = open.pop();
          thread(task).calls.push([last[0], cycle, last[1], last[2]]);
        } while (last[1] !== of);
      }
    }
    if (cpu.task < 0 && t.tasks[task][0] > 0)
      [cpu.task, cpu.since] = [task, cycle];
  }
  lanes.cpus.forEach((cpu, index) => {
    stop(cpu, index, lanes.end);
    if (cpu.value !== null)
      cpu.register.push([cpu.valueSince, lanes.end, cpu.value, cpu.valueTask]);
  });
  lanes.shown = [...lanes.threads.values()].sort((a, b) => b.events - a.events).slice(0, threadLanes);
  for (const one of lanes.shown) {
    one.run.sort((a, b) => a[0] - b[0]);
    one.calls.sort((a, b) => a[0] - b[0]);
  }
  return lanes;
}

// The first span that ends after a time.
function firstAfter(list, time) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = low + high >> 1;
    if (list[middle][1] > time)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

function paint(svg, list, view, y, height, colorOf, labelOf) {
  const paths = new Map();
  let narrow = -1;
  for (let i = firstAfter(list, view.from); i < list.length && list[i][0] < view.to; i++) {
    const span = list[i], a = Math.max(view.left, view.x(span[0])), b = Math.min(view.right, view.x(span[1]));
    let wide = b - a;
    if (wide < 1) {
      if (Math.floor(a) === narrow)
        continue;
      narrow = Math.floor(a);
      wide = 1;
    }
    const fill = colorOf(span);
    paths.set(fill, (paths.get(fill) || '') + `M${a.toFixed(1)} ${y}h${wide.toFixed(1)}v${height}h-${wide.toFixed(1)}z`);
    const label = labelOf ? labelOf(span) : '';
    if (label && wide > textWidth(label, 11) + 8)
      view.labels.push(s('text', { x: a + 4, y: y + height - 3.5, class: 'soft on', style: 'fill:var(--text)' }, label));
  }
  for (const [fill, d] of paths)
    svg.append(s('path', { d, fill, 'fill-opacity': labelOf ? .62 : 1 }));
}

function timeline(t) {
  const lanes = laneData(t), view = { from: 0, to: lanes.end };
  const taskName = index => `${printable(t.tasks[index][2])}[${t.tasks[index][0]}]`;
  const info = h('p', { class: 'soft', 'aria-live': 'polite' }), list = h('div');
  const place = drawing('timeline', draw);
  place.className = 'viewport';
  place.tabIndex = 0;

  function draw(width) {
    view.left = width < 560 ? 0 : 120;
    view.right = width;
    view.labels = [];
    view.x = cycle => view.left + (cycle - view.from) * (view.right - view.left) / (view.to - view.from);
    const narrow = view.left === 0, head = narrow ? 15 : 0, gap = narrow ? 6 : 5;
    const svg = s('svg', { width, role: 'img', 'aria-label': 'CPUs and threads over cycles' });
    let y = 0;
    const lane = (label, height, body) => {
      svg.append(s('text', { x: 0, y: narrow ? y + 11 : y + height / 2 + 4, class: 'soft' }, label));
      y += head;
      svg.append(s('rect', { x: view.left, y, width: view.right - view.left, height, fill: 'var(--grid)' }));
      body(y, height);
      y += height + gap;
    };
    lanes.cpus.forEach((cpu, i) => {
      lane(`CPU ${i} runs`, 20, (top, height) => paint(svg, cpu.run, view, top, height, p => taskColor(p[2]), p => taskName(p[2])));
      lane('  TPIDRRO_EL0', 14, (top, height) => {
        paint(svg, cpu.register, view, top, height, p => p[2] === 0 ? 'var(--off)' : taskColor(p[3]),
          p => p[2] === 0 ? 'off' : '0x' + p[2].toString(16));
        let d = '', last = -1;
        for (let k = lowest(cpu.writes, view.from); k < cpu.writes.length && cpu.writes[k] <= view.to; k++) {
          const px = Math.round(view.x(cpu.writes[k]));
          if (px !== last)
            d += `M${px + .5} ${top}v${height}`;
          last = px;
        }
        svg.append(s('path', { d, stroke: 'var(--text)', 'stroke-opacity': .55, fill: 'none' }));
      });
      y += 6;
    });
    for (const one of lanes.shown) {
      const label = taskName(one.task);
      lane(label.length > 17 && !narrow ? label.slice(0, 16) + '…' : label, 16, (top, height) => {
        paint(svg, one.run, view, top + height - 4, 4, p => color(1 + (p[2] % 8)));
        for (const what of ['vdso', 'sys', 'fault', 'irq'])
          paint(svg, one.calls.filter(c => c[2] === what), view, top, what === 'sys' ? 8 : 10, () => callColors[what]);
      });
    }
    axis(svg, y);
    svg.append(...view.labels);
    svg.setAttribute('height', y + 24);
    say();
    return svg;
  }

  function lowest(sorted, value) {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (sorted[middle] < value)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  function axis(svg, y) {
    const span = view.to - view.from, count = Math.max(2, Math.floor((view.right - view.left) / 110));
    const step = ticks(span, count)[1] || span;
    for (let cycle = Math.ceil(view.from / step) * step; cycle <= view.to; cycle += step) {
      const x = view.x(cycle), last = x > view.right - 30;
      svg.append(s('line', { class: 'axis', x1: x, x2: x, y1: y - 2, y2: y + 4 }));
      svg.append(s('text', { class: 'soft', x, y: y + 17, 'text-anchor': x < view.left + 20 ? 'start' : last ? 'end' : 'middle' },
        formats.int(cycle)));
    }
  }

  function say() {
    const inside = [];
    let count = 0;
    t.events.forEach((e, i) => {
      if (e[1] >= view.from && e[1] <= view.to) {
        count++;
        if (inside.length < 100)
          inside.push(i);
      }
    });
    info.textContent = `Cycles ${formats.int(view.from)} to ${formats.int(view.to)} `
      + `(${decimals((view.to - view.from) * 1e6 / t.clock_hz, 1)} µs of the guest): ${formats.int(count)} events.`;
    list.replaceChildren(details(`events of this window${count > inside.length ? `, the first ${inside.length}` : ''}`,
      table(['cycle', 'CPU', 'task', 'event', '', 'value'], inside.map(i => {
        const e = t.events[i], what = t.kinds[e[0]];
        return [{ from: `timeline.events.${i}.1`, as: 'int' }, { from: `timeline.events.${i}.2`, as: 'plain' },
          name(taskName(e[3])), what, name(t.names[e[4]]), valueOf(what, e[5])];
      }), { label: 'events' })));
  }

  function valueOf(what, value) {
    if (what === 'sched_switch')
      return value < 0 ? '' : ['from ', name(taskName(value))];
    if (what === 'tpidrro_write')
      return value === 0 ? 'off' : '0x' + value.toString(16);
    if (what === 'sched_migrate_task')
      return `from CPU ${value}`;
    return what.endsWith('_exit') && what !== 'sched_process_exit' ? `${formats.int(value)} cycles` : '';
  }

  function show(from, to) {
    const least = 20, span = Math.min(lanes.end, Math.max(least, to - from));
    view.from = Math.max(0, Math.min(Math.round(from), lanes.end - span));
    view.to = view.from + span;
    redraw(place);
  }

  const span = () => view.to - view.from, middle = () => (view.from + view.to) / 2;
  const zoom = (factor, around = middle()) =>
    show(around - (around - view.from) * factor, around + (view.to - around) * factor);
  const acts = {
    '+': () => zoom(.5), '-': () => zoom(2), ArrowLeft: () => show(view.from - span() / 4, view.to - span() / 4),
    ArrowRight: () => show(view.from + span() / 4, view.to + span() / 4), '0': () => show(0, lanes.end),
    Home: () => show(0, span()), End: () => show(lanes.end - span(), lanes.end),
  };
  place.addEventListener('keydown', event => {
    const act = acts[event.key === '=' ? '+' : event.key];
    if (act && !event.ctrlKey && !event.altKey && !event.metaKey) {
      act();
      event.preventDefault();
    }
  });
  const cycleAt = event => {
    const x = event.clientX - place.getBoundingClientRect().left;
    return view.from + Math.max(0, x - view.left) * span() / (view.right - view.left);
  };
  place.addEventListener('wheel', event => {
    if (event.ctrlKey) {
      zoom(event.deltaY > 0 ? 1.25 : .8, cycleAt(event));
      event.preventDefault();
    }
  }, { passive: false });
  let down = null;
  place.addEventListener('pointerdown', event => { down = cycleAt(event); });
  place.addEventListener('pointerup', event => {
    const up = cycleAt(event);
    if (down !== null && Math.abs(up - down) > span() / 100)
      show(Math.min(up, down), Math.max(up, down));
    down = null;
  });
  const button = (text, label, act) => h('button', { type: 'button', 'aria-label': label, click: act }, text);
  return [
    h('div', { class: 'tools' }, button('−', 'wider', acts['-']), button('+', 'nearer', acts['+']),
      button('←', 'earlier', acts.ArrowLeft), button('→', 'later', acts.ArrowRight), button('all', 'the whole run', acts['0']),
      h('span', { class: 'soft' }, 'or the keys + − ← → 0; drag over a part to see it near')),
    key([['vDSO call', callColors.vdso], ['system call', callColors.sys], ['fault', callColors.fault], ['interrupt', callColors.irq],
      ['register off', 'var(--off)']]),
    place, info,
    lanes.threads.size > threadLanes ? h('p', { class: 'soft' },
      `The ${threadLanes} threads with most events of ${lanes.threads.size} have a lane.`) : null,
    list,
  ];
}
