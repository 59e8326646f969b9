// The sections of the page. Each is there when its figures are.
const serviceNames = { stock: 'Linux’s vDSO', design: 'per-CPU designs', candidate: 'candidate', never: 'kernel only' };
const serviceColors = { stock: color(5), design: color(3), candidate: color(2), never: color(0) };
const partNames = ['trampoline', 'entry', 'dispatch', 'body', 'exit'];
const partColors = [color(7), color(1), color(5), color(2), color(3)];
const designColor = i => color(1 + i % 8);

function fact(title, ...value) {
  return h('div', {}, h('dt', {}, title), h('dd', {}, value));
}

function toggles(label, choices, act) {
  const buttons = choices.map(([text, value], i) => h('button', { type: 'button', 'aria-pressed': String(i === 0), click: () => {
    buttons.forEach((b, j) => b.setAttribute('aria-pressed', String(i === j)));
    act(value);
  } }, text));
  return h('div', { class: 'tools', role: 'group', 'aria-label': label }, buttons);
}

function runSection(r) {
  return [
    h('dl', {},
      r.instructions === undefined ? null : fact('instructions', h('span', { class: 'big' }, num('run.instructions'))),
      r.busy_cycles === undefined ? null : fact('busy cycles (modelled)', h('span', { class: 'big' }, num('run.busy_cycles'))),
      r.seconds === undefined ? null : fact('time of the guest', h('span', { class: 'big' }, num('run.seconds', 'micro'))),
      data.calls ? fact('system calls asked', h('span', { class: 'big' }, num('calls.asked'))) : null,
      data.calls ? fact('answered by the vDSO', h('span', { class: 'big' }, num('calls.vdso_served'))) : null,
      data.calls ? fact('switches', h('span', { class: 'big' }, num('calls.switches'))) : null),
    h('dl', {},
      fact('core', word('machine.core')), fact('CPU profile', word('machine.cpu_profile')), fact('CPUs', num('machine.cpus')),
      r.clock_hz === undefined ? null : fact('clock', num('run.clock_hz', 'mhz')),
      at('machine.design') === undefined ? null : fact('vDSO design', word('machine.design')),
      fact('kernel', word('machine.kernel')), fact('seed', word('machine.seed')),
      r.status === undefined || r.status === null ? null : fact('exit status', word('run.status')),
      r.ended_by ? fact('ended by', word('run.ended_by')) : null,
      r.charged_share === undefined ? null : fact('charged, not executed', num('run.charged_share', 'percent'))),
    h('p', { class: 'soft' }, 'Cycles are modelled; instructions were executed. Charged cycles stand for kernel code that the model has '
      + 'in C#.'),
  ];
}

function callSection(c) {
  let log = false;
  const chart = drawing('calls by number of arguments', width => bars(width, c.classes.map((one, i) => ({
    label: one.class < 0 ? 'unknown number' : `SYSCALL_DEFINE${one.class}`, from: `calls.classes.${i}.asked`,
    parts: log ? [{ value: one.asked, color: color(1), title: String(one.asked) }]
      : one.by_service.map((value, k) => ({ value, color: serviceColors[c.services[k]],
        title: `${serviceNames[c.services[k]]}: ${formats.int(value)}` })),
  })), { log, label: 'calls by number of arguments' }));
  const most = c.calls.map((one, i) => i).filter(i => c.calls[i].cycles > 0).slice(0, 12);
  const cycles = drawing('cycles by call', width => bars(width, most.map(i => ({
    label: c.calls[i].name, note: serviceNames[c.calls[i].service], from: `calls.calls.${i}.share`, as: 'percent',
    parts: [{ value: c.calls[i].cycles, color: serviceColors[c.calls[i].service], title: formats.int(c.calls[i].cycles) }],
  })), { label: 'cycles by call', room: 64 }));
  const counted = i => `calls.calls.${i}.`;
  return [
    h('h3', {}, 'How often the program asked, by number of arguments'),
    toggles('scale', [['linear', false], ['log', true]], value => {
      log = value;
      redraw(chart);
    }),
    key(c.services.map(one => [serviceNames[one], serviceColors[one]])),
    chart,
    details('as a table', table(['class', 'asked', 'system calls', 'cycles', ...c.services.map(one => serviceNames[one])],
      c.classes.map((one, i) => [one.class < 0 ? 'unknown' : `SYSCALL_DEFINE${one.class}`,
        { from: `calls.classes.${i}.asked` }, { from: `calls.classes.${i}.calls` }, { from: `calls.classes.${i}.cycles` },
        ...c.services.map((_, k) => ({ from: `calls.classes.${i}.by_service.${k}` }))]), { label: 'classes' })),
    h('h3', {}, 'Cycles in the kernel, by call'),
    cycles,
    details('all calls', table(['call', 'arguments', 'system calls', 'vDSO answered', 'cycles', 'a call', 'charged', 'who could serve it'],
      c.calls.map((one, i) => [name(one.name), { from: counted(i) + 'class' }, { from: counted(i) + 'calls' },
        { from: counted(i) + 'vdso_served' }, { from: counted(i) + 'cycles' }, { from: counted(i) + 'per_call' },
        { from: counted(i) + 'charged_share', as: 'percent' }, serviceNames[one.service] + (one.reason ? `: ${one.reason}` : '')]),
      { label: 'calls' })),
    data.serves ? serves(data.serves) : null,
  ];
}

function serves(list) {
  return [
    h('h3', {}, 'What each design would serve'),
    drawing('calls that each design would serve', width => bars(width, list.map((one, i) => ({
      label: one.design, note: one.calls > 0 ? '' : 'none of these calls', from: `serves.${i}.share`, as: 'percent',
      parts: [{ value: one.share, color: designColor(i), title: one.names }],
    })), { label: 'share of the calls that each design would serve', room: 64, ticks: value => decimals(100 * value, 0) + '%' })),
    table(['design', 'calls', 'cycles saved', 'paid at switches', 'net', 'which'], list.map((one, i) => [name(one.design),
      { from: `serves.${i}.calls` }, { from: `serves.${i}.saved`, as: 'signed' }, { from: `serves.${i}.paid`, as: 'signed' },
      { from: `serves.${i}.net`, as: 'signed' }, one.names]), { label: 'what each design would serve' }),
    h('p', { class: 'soft' }, 'An estimate: every call that a design has goes through it in place of a system call, each at the cost of a '
      + 'single call with warm caches; each switch pays its update. armvdso syscalls --what-if measures it.'),
  ];
}

function pathSection(p) {
  const calls = p.calls.map((one, i) => i);
  const shown = calls.slice().sort((a, b) => p.calls[b].cycles - p.calls[a].cycles).slice(0, 16);
  return [
    h('p', {}, p.source),
    key(partNames.map((part, i) => [part, partColors[i]])),
    drawing('cycles of a call by part', width => bars(width, shown.map(i => ({
      label: p.calls[i].name, from: `path.calls.${i}.cycles`,
      parts: partNames.map((part, k) => ({ value: p.calls[i].parts[part].cycles, color: partColors[k],
        title: `${part}: ${formats.int(p.calls[i].parts[part].cycles)} cycles, ${p.calls[i].parts[part].instructions} instructions` })),
    })), { label: 'cycles of a call by part', room: 64 })),
    details('as a table', table(['call', 'cycles', 'charged', ...partNames], calls.map(i => [name(p.calls[i].name),
      { from: `path.calls.${i}.cycles` }, { from: `path.calls.${i}.charged_cycles` },
      ...partNames.map(part => ({ from: `path.calls.${i}.parts.${part}.cycles` }))]), { label: 'parts of calls' })),
  ];
}

function designSection(d) {
  const names = d.system_calls.map(one => one.name);
  let chosen = Math.max(0, names.indexOf('getpid')), state = 'warm';
  const chart = drawing('cycles of a call, by design', width => bars(width, [
    { label: 'system call', from: `designs.system_calls.${chosen}.cycles_${state}`,
      parts: [{ value: d.system_calls[chosen][`cycles_${state}`], color: color(0) }] },
    ...d.designs.map((one, i) => {
      const path = `designs.designs.${i}.functions.${chosen}`, served = one.functions[chosen].served;
      const even = one.functions[chosen].break_even_calls_per_switch;
      return { label: one.design, note: !served ? 'not served' : even === null ? '' : `pays from ${formats.two(even)} calls a switch on`,
        from: served ? `${path}.vdso_cycles_${state}` : null,
        parts: served ? [{ value: one.functions[chosen][`vdso_cycles_${state}`], color: designColor(i) }] : [] };
    })], { label: 'cycles of a call, by design', room: 64 }));
  const select = h('select', { 'aria-label': 'function', change: event => {
    chosen = event.target.selectedIndex;
    redraw(chart);
  } }, names.map((one, i) => h('option', { selected: i === chosen }, one)));
  const perDesign = (title, key, as) => [title, ...d.designs.map((_, i) => ({ from: `designs.designs.${i}.${key}`, as }))];
  const figures = key => names.map((one, i) => [one,
    ...(key === 'break_even_calls_per_switch' ? [] : [{ from: `designs.system_calls.${i}.${key.replace('vdso_', '')}` }]),
    ...d.designs.map((_, k) => ({ from: `designs.designs.${k}.functions.${i}.${key}`, as: key.startsWith('break') ? 'two' : 'int' }))]);
  const heads = d.designs.map(one => printable(one.design));
  return [
    h('div', { class: 'tools' }, select, toggles('caches', [['warm', 'warm'], ['cold', 'cold']], value => {
      state = value;
      redraw(chart);
    })),
    chart,
    h('h3', {}, 'What the kernel pays, in cycles'),
    table(['', ...heads], [
      perDesign('context switch', 'context_switch_cycles'), perDesign('… more than without vDSO', 'context_switch_added', 'signed'),
      perDesign('system call (getpid)', 'system_call_cycles'), perDesign('… more than without vDSO', 'system_call_added', 'signed'),
      perDesign('change of credentials', 'credential_change_cycles'),
      perDesign('… more than without vDSO', 'credential_change_added', 'signed'),
      perDesign('calls of this comparison', 'vdso_calls'), perDesign('… fell back', 'fallbacks'),
      perDesign('… wrong answers', 'wrong')], { label: 'what the kernel pays' }),
    details('cycles with warm caches', table(['function', 'system call', ...heads], figures('vdso_cycles_warm'), { label: 'warm' })),
    details('cycles with everything in memory',
      table(['function', 'system call', ...heads], figures('vdso_cycles_cold'), { label: 'cold' })),
    details('break-even: calls a switch from which on a design pays',
      table(['function', ...heads], figures('break_even_calls_per_switch'), { label: 'break-even' })),
    h('p', { class: 'soft' }, 'Measured with the comparison’s own guest on this core and kernel: medians of undisturbed calls, the loop '
      + 'around them taken off.'),
  ];
}

function memorySection(d) {
  const cpus = Object.keys(d.designs[0].shared_pages_computed).map(Number).sort((a, b) => a - b);
  const points = d.designs[0].process_pages;
  return [
    h('h3', {}, 'Pages that all share, by CPUs'),
    drawing('shared pages by CPUs', width => lines(width, d.designs.map((one, i) => ({ label: one.design, color: designColor(i),
      points: cpus.map(n => ({ x: n, from: `designs.designs.${i}.shared_pages_computed.${n}` })) })),
      { axis: 'CPUs', label: 'shared pages of 4 KiB by CPUs' })),
    h('h3', {}, 'Pages of all processes together'),
    drawing('pages of processes', width => lines(width, d.designs.map((one, i) => ({ label: one.design, color: designColor(i),
      points: points.map((p, k) => ({ x: `${p.processes}×${p.threads}`, from: `designs.designs.${i}.process_pages.${k}.counted` })) })),
      { axis: 'processes × threads of each', label: 'pages of processes, counted' })),
    details('as tables',
      table(['design', ...cpus.map(n => `${n} CPUs`)], d.designs.map((one, i) => [name(one.design),
        ...cpus.map(n => ({ from: `designs.designs.${i}.shared_pages_computed.${n}` }))]), { label: 'shared pages' }),
      table(['design', ...points.map(p => `${p.processes}×${p.threads}`)], d.designs.map((one, i) => [name(one.design),
        ...points.map((_, k) => ({ from: `designs.designs.${i}.process_pages.${k}.counted` }))]), { label: 'pages of processes' })),
    h('p', { class: 'soft' }, 'Pages of 4 KiB: shared ones computed from the layout, those of processes counted in runs.'),
  ];
}

function rangeSection(r) {
  const calls = r.functions.map((one, i) => i).filter(i => r.functions[i].cycles_at_ends_of_calibrated_ranges);
  const ends = (i, which) => `ranges.functions.${i}.cycles_at_ends_of_calibrated_ranges.${which}`;
  return [
    h('p', {}, 'No published figure exists for some system instructions (SVC, ERET, MRS, MSR, barriers, the counter). Here all of them are '
      + 'at the low and at the high ends of their ranges; the point is the model’s own figure.'),
    key([['system call', color(0)], ['vDSO', color(1)]]),
    drawing('sensitivity to calibrated ranges', width => ranges(width, calls.map(i => ({ label: r.functions[i].name, ends: [
      { color: color(0), low: ends(i, 'syscall.0'), high: ends(i, 'syscall.1'), mid: `ranges.functions.${i}.syscall.cycles` },
      ...(r.functions[i].vdso ? [{ color: color(1), low: ends(i, 'vdso.0'), high: ends(i, 'vdso.1'),
        mid: `ranges.functions.${i}.vdso.cycles` }] : []),
    ] })), { label: 'cycles at the ends of the calibrated ranges' })),
  ];
}

function accuracySection(a) {
  const within = one => one.within === null ? '–' : h('span', { class: one.within ? 'good' : 'bad' }, one.within ? 'yes' : 'no');
  return [
    a.results.length === 0 ? h('p', {}, 'No measured figures of this core are built in.') : table(
      ['set', 'what', 'result', 'aim', 'within', 'rows', 'left out', 'measured by'],
      a.results.map((one, i) => [one.set, one.metric, { from: `accuracy.results.${i}.value`, as: one.format }, one.reach, within(one),
        { from: `accuracy.results.${i}.rows` }, { from: `accuracy.results.${i}.left_out` }, one.source]), { label: 'accuracy' }),
    h('p', { class: 'soft' }, 'Measured now, by this model, against tables of measurements on hardware. Other sets (memory, programs, '
      + 'llvm-mca) take minutes: armvdso yardsticks.'),
    a.evidence.length === 0 ? null : [h('h3', {}, 'Where the model’s numbers come from'),
      drawing('evidence', width => bars(width, a.evidence.map((one, i) => ({ label: one.evidence, from: `accuracy.evidence.${i}.count`,
        parts: [{ value: one.count, color: color(1 + i) }] })), { label: 'numbers of the model by evidence', room: 50 }))],
  ];
}

formats.micro = value => value >= 1 ? decimals(value, 3) + ' s' : value >= 1e-3 ? decimals(value * 1e3, 3) + ' ms'
  : decimals(value * 1e6, 1) + ' µs';
formats.mhz = value => decimals(value / 1e6, 0) + ' MHz';

const sections = [
  ['run', 'The run', () => data.run && runSection(data.run)],
  ['sweep', 'The sweep', () => data.sweep && sweepSection(data.sweep)],
  ['calls', 'System calls', () => data.calls && callSection(data.calls)],
  ['parts', 'Where a call’s cycles go', () => data.path && pathSection(data.path)],
  ['time', 'CPUs over time', () => data.timeline && [
    h('p', {}, num('timeline.events_shown'), ' events of ', num('timeline.events_all'),
      data.timeline.complete ? '' : '; the recording has no end: its run was killed or goes on', '.'), timeline(data.timeline)]],
  ['schedules', 'Schedules of check', () => data.schedules && data.schedules.map((one, i) => schedule(one, `schedules.${i}`))],
  ['designs', 'Designs side by side', () => data.designs && designSection(data.designs)],
  ['memory', 'Memory', () => data.designs && memorySection(data.designs)],
  ['ranges', 'Sensitivity', () => data.ranges && rangeSection(data.ranges)],
  ['accuracy', 'Accuracy of the model', () => data.accuracy && accuracySection(data.accuracy)],
];

function build() {
  const page = document.getElementById('page'), nav = document.getElementById('nav');
  themeSwitch();
  page.replaceChildren(h('h1', {}, name(data.title)), h('p', {}, h('code', {}, name(data.command))));
  for (const [id, title, make] of sections) {
    const inside = make();
    if (inside) {
      nav.append(h('a', { href: `#${id}` }, title));
      page.append(h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), inside));
    }
  }
  document.getElementById('foot').append(`Made by armvdso ${printable(data.made_by)}. Every figure is formed from the JSON in this page. `,
    h('button', { type: 'button', click: () => {
      const link = h('a', { download: 'report.json', href: URL.createObjectURL(new Blob([JSON.stringify(data)])) });
      link.click();
    } }, 'save it'));
  drawAll();
  new ResizeObserver(drawAll).observe(page);
  document.documentElement.dataset.ready = 'yes';
}

build();
