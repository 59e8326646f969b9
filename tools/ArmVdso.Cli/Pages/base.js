// Figures: what is shown is formed from the JSON in the page, and says from where.
const data = JSON.parse(document.getElementById('data').textContent);
data.timeline = JSON.parse(document.getElementById('timeline').textContent);

function at(path) {
  return path.split('.').reduce((value, key) => value === null || value === undefined ? value : value[key], data);
}

function decimals(value, n) {
  return value.toLocaleString('en-US', { minimumFractionDigits: n, maximumFractionDigits: n });
}

const formats = {
  int: value => decimals(value, 0),
  one: value => decimals(value, 1),
  two: value => decimals(value, 2),
  signed: value => (value > 0 ? '+' : '') + decimals(value, 0),
  percent: value => decimals(100 * value, 1) + '%',
  plain: value => String(value),
};

// What a guest or a user chose is text, without characters that are not seen or turn the line around.
function printable(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    c => '\\x' + c.charCodeAt(0).toString(16).padStart(2, '0'));
}

function make(space, tag, attributes, children) {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (typeof value === 'function')
      element.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(9)) {
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

function h(tag, attributes, ...children) {
  return make(null, tag, attributes, children);
}

function s(tag, attributes, ...children) {
  return make('http://www.w3.org/2000/svg', tag, attributes, children);
}

// A figure: its text, and where in the JSON it is.
function num(path, as = 'int', tag = 'span') {
  const value = at(path);
  return h(tag, { 'data-from': path, 'data-as': as, class: 'n' }, value === null || value === undefined ? '–' : formats[as](value));
}

function name(text) {
  return h('span', { class: 'name' }, printable(text));
}

function word(path) {
  return h('span', { 'data-from': path, 'data-as': 'plain', class: 'name' }, printable(at(path) ?? '–'));
}

// Rows of cells: a figure is {from, as}, all else is shown as it is. The first cell is the row's head.
function table(heads, rows, attributes) {
  const numeric = heads.map((head, i) => rows.length > 0 && rows.every(r => r[i] && r[i].from));
  const cell = (value, i) => {
    const inside = value && value.from ? num(value.from, value.as) : value;
    return i === 0 ? h('th', { scope: 'row', class: numeric[0] ? 'n' : null }, inside)
      : h('td', { class: numeric[i] ? 'n' : typeof value === 'string' && value.length > 40 ? 'text' : null }, inside);
  };
  return h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': (attributes || {}).label || 'table' }, h('table', {},
    h('thead', {}, h('tr', {}, heads.map((head, i) => h('th', { scope: 'col', class: numeric[i] ? 'n' : null }, head)))),
    h('tbody', {}, rows.map(row => h('tr', {}, row.map(cell))))));
}

function details(title, ...children) {
  return h('details', {}, h('summary', {}, title), children);
}

function key(entries) {
  return h('ul', { class: 'key' }, entries.map(([text, color]) => h('li', {}, h('i', { style: `background:${color}` }), text)));
}

const color = i => `var(--c${i})`;

// A drawing is made anew when its place has another width.
const drawings = [];

function drawing(label, draw) {
  const place = h('figure', { role: 'group', 'aria-label': label });
  drawings.push({ place, draw, width: 0 });
  return place;
}

function drawAll() {
  for (const d of drawings) {
    const width = Math.floor(d.place.clientWidth);
    if (width > 0 && width !== d.width) {
      d.width = width;
      d.place.replaceChildren(...[d.draw(width)].flat());
    }
  }
}

function redraw(place) {
  const d = drawings.find(one => one.place === place);
  d.width = 0;
  drawAll();
}

function themeSwitch() {
  const button = document.getElementById('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  const show = () => {
    const dark = chosen === null ? system.matches : chosen;
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    button.textContent = dark ? 'light' : 'dark';
    button.setAttribute('aria-label', dark ? 'show light' : 'show dark');
  };
  button.addEventListener('click', () => {
    chosen = document.documentElement.dataset.theme !== 'dark';
    show();
  });
  system.addEventListener('change', show);
  show();
}
