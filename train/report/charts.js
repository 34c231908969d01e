// What all pages draw with: elements, charts. Comes before the other scripts.
'use strict';
const page = document.getElementById('page');
const svgSpace = document.getElementById('drawing').namespaceURI;

// ---- elements ----

function add(parent, name, attributes, ...children) {
    return fill(document.createElement(name), parent, attributes, children);
}

function draw(parent, name, attributes, ...children) {
    return fill(document.createElementNS(svgSpace, name), parent, attributes, children);
}

function fill(element, parent, attributes, children) {
    for (const [key, value] of Object.entries(attributes || {}))
        if (value !== undefined && value !== null) element.setAttribute(key, value);
    element.append(...children);
    if (parent) parent.append(element);
    return element;
}

const isNumber = Number.isFinite; // of null, too: what is undefined is null in JSON
const percent = value => (isNumber(value) ? (100 * value).toFixed(2) : '–');
const short = value => String(Number(value.toPrecision(4)));

// Texts for numbers between two: with four digits, or as many as it takes to see a thousandth of what lies between.
function textBetween(low, high) {
    const needed = 3 + Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / Math.abs(high - low)));
    const digits = isNumber(needed) ? Math.min(Math.max(needed, 4), 9) : 4;
    return value => String(Number(value.toPrecision(digits)));
}

// Rows of texts or elements, the first is the head; the first cell of each row is its head where `headed`.
function addTable(parent, rows, {kind, headed, label} = {}) {
    const card = add(parent, 'div', {class: 'card'}), table = add(card, 'table', {class: kind, 'aria-label': label});
    rows.forEach((cells, i) => {
        const row = add(table, 'tr');
        cells.forEach((cell, j) => {
            const scope = i === 0 ? 'col' : headed && j === 0 ? 'row' : null;
            add(row, scope ? 'th' : 'td', {scope}, cell);
        });
    });
    return table;
}

// A name that may go on in the next line behind its underscores and slashes and between its words, and nowhere else.
function breakable(name) {
    const parts = name.split(/(?<=[_/]|[.](?=[a-z]))/);
    return parts.length === 1 ? name : add(null, 'span', {}, ...parts.flatMap((part, i) => (i > 0 ? [add(null, 'wbr'), part] : [part])));
}

// The same of texts, which have little room where there are several columns of them.
function addTexts(parent, rows) {
    const cells = rows.map(row => row.map(cell => (typeof cell === 'string' ? breakable(cell) : cell)));
    return addTable(parent, cells, {kind: 'texts', headed: true});
}

// What scrolls sideways can be reached and scrolled by keyboard.
function reachScrolled() {
    for (const box of page.querySelectorAll('.card, pre'))
        if (box.scrollWidth > box.clientWidth) box.setAttribute('tabindex', '0');
        else box.removeAttribute('tabindex');
}

// ---- charts, drawn for the width that they have, so that letters keep their size ----

const MARGIN = {left: 58, right: 16, top: 12, bottom: 46};
const HEIGHT = 300, PRINTED = {wide: 640, narrow: 310};
const drawn = []; // [{figure, make}]
let printing = false;

// A figure with room for a chart that make(figure) draws, now and whenever its width changes.
function addChart(parent, kind, make) {
    const figure = add(parent, 'figure', {class: 'plot' + (kind ? ' ' + kind : '')});
    drawn.push({figure, make});
    make(figure);
    return figure;
}

function redraw(kind) {
    for (const {figure, make} of drawn) {
        if (kind && !figure.classList.contains(kind)) continue;
        figure.replaceChildren();
        make(figure);
    }
}

function followWidth() {
    let width = page.clientWidth;
    window.addEventListener('resize', () => {
        if (page.clientWidth === width) return;
        width = page.clientWidth;
        redraw();
        reachScrolled();
    });
    for (const [event, on] of [['beforeprint', true], ['afterprint', false]])
        window.addEventListener(event, () => { printing = on; redraw(); });
}

function widthOf(figure) {
    const style = getComputedStyle(figure), wide = figure.classList.contains('wide');
    if (printing) return wide ? PRINTED.wide : PRINTED.narrow;
    return Math.max(200, Math.floor(figure.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)));
}

// Fills a figure with the frame of a chart: a legend, axes with ticks, and the maps x() and y() into its drawing.
// chart: title, xLabel, yLabel, x: [min, max], y: [min, max], log, left, height, legend: [[name, color], ...]
function openChart(figure, chart) {
    const width = widthOf(figure), height = chart.height || HEIGHT;
    const left = chart.left || MARGIN.left, right = width - MARGIN.right;
    const top = MARGIN.top, bottom = height - MARGIN.bottom;
    const scale = chart.log ? Math.log10 : value => value;
    const [x0, x1] = chart.x, [y0, y1] = chart.y.map(scale);
    add(figure, 'figcaption', {}, chart.title);
    const legend = add(figure, 'div', {class: 'legend'});
    for (const [name, color] of chart.legend || []) add(legend, 'span', {class: 'key s' + color}, add(null, 'i'), name);
    const svg = draw(figure, 'svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': chart.title});
    const frame = {
        svg, left, right, top, bottom,
        x: value => round(left + (value - x0) / (x1 - x0) * (right - left)),
        y: value => round(bottom - (scale(value) - y0) / (y1 - y0) * (bottom - top)),
    };
    const xText = textBetween(x0, x1), yText = textBetween(...chart.y);
    const room = 8 * Math.max(7, ...ticks(x0, x1, 6, 2.5).map(tick => xText(tick).length)); // for a text, about
    for (const tick of ticks(x0, x1, Math.min(6, Math.max(3, Math.floor((right - left) / room))), 2.5)) {
        line(frame, 'grid', frame.x(tick), top, frame.x(tick), bottom);
        text(frame, 'tick', frame.x(tick), bottom + 17, 'middle', xText(tick));
    }
    line(frame, 'axis', left, bottom, right, bottom);
    const half = 3.6 * chart.xLabel.length; // about
    text(frame, 'label', Math.max(half, Math.min((left + right) / 2, width - half)), height - 8, 'middle', chart.xLabel);
    if (!chart.yLabel) return frame;
    for (const tick of chart.log ? logTicks(...chart.y) : ticks(y0, y1, 5)) {
        line(frame, 'grid', left, frame.y(tick), right, frame.y(tick));
        text(frame, 'tick', left - 7, frame.y(tick) + 4, 'end', yText(tick));
    }
    draw(svg, 'text', {class: 'label', transform: `translate(14 ${(top + bottom) / 2}) rotate(-90)`,
        'text-anchor': 'middle'}, chart.yLabel);
    return frame;
}

const round = value => Math.round(10 * value) / 10;

function line(frame, kind, x1, y1, x2, y2) {
    return draw(frame.svg, 'line', {class: kind, x1, y1, x2, y2});
}

function text(frame, kind, x, y, anchor, content) {
    return draw(frame.svg, 'text', {class: kind, x, y, 'text-anchor': anchor}, content);
}

// Multiples of a round step (1, 2, `more` or 5 times a power of ten) that cuts the range into at most `parts`.
function ticks(low, high, parts, more = 2) {
    const raw = (high - low) / parts, power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, more, 5, 10].find(factor => raw <= factor * power * 1.0000001);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++) found.push(i * step);
    return found;
}

// Powers of ten, and 2 and 5 times these where the axis spans few of them.
function logTicks(low, high) {
    const decades = Math.log10(high / low), every = decades > 7 ? 2 : 1, found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += every)
        for (const factor of decades > 2.5 ? [1] : [1, 2, 5]) {
            const value = factor * 10 ** power;
            if (value >= low * 0.9999999 && value <= high * 1.0000001) found.push(value);
        }
    return found;
}

function drawMarker(frame, range, value, label) {
    if (!isNumber(value) || value < range[0] || value > range[1]) return;
    const x = frame.x(value), atRight = x > (frame.left + frame.right) / 2;
    line(frame, 'marker', x, frame.top, x, frame.bottom);
    text(frame, 'note', x + (atRight ? -6 : 6), frame.top + 12, atRight ? 'end' : 'start', label);
}

function drawPoint(frame, point, label) {
    if (!point || !point.every(isNumber)) return;
    const x = frame.x(point[0]), y = frame.y(point[1]), atRight = x > (frame.left + frame.right) / 2;
    draw(frame.svg, 'circle', {class: 'point', cx: x, cy: y, r: 4.5});
    text(frame, 'note', x + (atRight ? -9 : 9), Math.min(y + 18, frame.bottom - 5), atRight ? 'end' : 'start', label);
}

// Values that cannot be drawn break the line.
function drawLine(frame, color, xs, ys, drawable) {
    let path = '', open = false;
    xs.forEach((x, i) => {
        const visible = drawable(ys[i]);
        if (visible) path += (open ? 'L' : 'M') + frame.x(x) + ' ' + frame.y(ys[i]);
        open = visible;
    });
    draw(frame.svg, 'path', {class: 'line s' + color, d: path});
}

// The least and the largest of sorted lists, with some air.
function rangeOf(lists) {
    const filled = lists.filter(list => list.length > 0);
    const low = Math.min(...filled.map(list => list[0])), high = Math.max(...filled.map(list => list[list.length - 1]));
    const edge = high > low ? 0.02 * (high - low) : 0.5;
    return [low - edge, high + edge];
}

// sets: [[name, SET, color]] beside each other; shares: in percent of each, since they differ in number; marker: [value, label].
function drawHistogram(figure, {title, xLabel, unit, sets, range, shares, marker, height}) {
    const BINS = widthOf(figure) < 500 ? 18 : 28, [low, high] = range, size = (high - low) / BINS, number = textBetween(low, high);
    const counts = sets.map(([, set]) => {
        const bins = new Array(BINS).fill(0), each = (shares ? 100 : set.count) / set.sorted.length;
        for (const value of set.sorted)
            bins[Math.max(0, Math.min(BINS - 1, Math.floor((value - low) / size)))] += each;
        return bins;
    });
    const highest = Math.max(3, ...counts.flat()); // 3, so that ticks are whole numbers
    const frame = openChart(figure, {title, xLabel, yLabel: shares ? 'share of the images, %' : 'images', x: range,
        y: [0, 1.08 * highest], height, legend: sets.map(([name, , color]) => [name, color])});
    const bar = (frame.x(low + size) - frame.x(low) - 2) / sets.length;
    counts.forEach((bins, which) => bins.forEach((count, bin) => {
        if (count === 0) return;
        const [name, , color] = sets[which], from = low + bin * size, y = frame.y(count);
        draw(frame.svg, 'rect', {class: 'bar s' + color, x: round(frame.x(from) + 1 + which * bar), y,
            width: round(bar), height: round(frame.bottom - y)},
        draw(null, 'title', {}, `${name}: ${short(count)}${shares ? ' %' : ''} at ${number(from)} to ${number(from + size)}${unit || ''}`));
    }));
    if (marker) drawMarker(frame, range, ...marker);
}
