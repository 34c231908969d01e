// The data of the page, and what all pages draw with: elements, charts. Comes before report.js.
'use strict';
const source = document.getElementById('data'), data = JSON.parse(source.textContent);
source.remove(); // the pictures need to be in memory only once
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

// ---- charts ----

const MARGIN = {left: 58, right: 16, top: 12, bottom: 46};
const HEIGHT = 300, HALF = 530, FULL = 1080;

// The frame of a chart: a figure with a legend, axes with ticks, and the maps x() and y() into its drawing.
// chart: title, xLabel, yLabel, x: [min, max], y: [min, max], log, width, legend: [[name, color], ...]
function openChart(parent, chart) {
    const width = chart.width, height = chart.height || HEIGHT;
    const left = chart.left || MARGIN.left, right = width - MARGIN.right;
    const top = MARGIN.top, bottom = height - MARGIN.bottom;
    const scale = chart.log ? Math.log10 : value => value;
    const [x0, x1] = chart.x, [y0, y1] = chart.y.map(scale);
    const figure = add(parent, 'figure', {class: 'plot'}, add(null, 'figcaption', {}, chart.title));
    const legend = add(figure, 'div', {class: 'legend'});
    for (const [name, color] of chart.legend || []) add(legend, 'span', {class: 'key s' + color}, add(null, 'i'), name);
    const svg = draw(figure, 'svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': chart.title});
    const frame = {
        svg, left, right, top, bottom,
        x: value => round(left + (value - x0) / (x1 - x0) * (right - left)),
        y: value => round(bottom - (scale(value) - y0) / (y1 - y0) * (bottom - top)),
    };
    for (const tick of ticks(x0, x1, 6)) {
        line(frame, 'grid', frame.x(tick), top, frame.x(tick), bottom);
        text(frame, 'tick', frame.x(tick), bottom + 17, 'middle', short(tick));
    }
    line(frame, 'axis', left, bottom, right, bottom);
    text(frame, 'label', (left + right) / 2, height - 8, 'middle', chart.xLabel);
    if (!chart.yLabel) return frame;
    for (const tick of chart.log ? logTicks(...chart.y) : ticks(y0, y1, 5)) {
        line(frame, 'grid', left, frame.y(tick), right, frame.y(tick));
        text(frame, 'tick', left - 7, frame.y(tick) + 4, 'end', short(tick));
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

// Multiples of a round step (1, 2 or 5 times a power of ten) that cuts the range into at most `parts`.
function ticks(low, high, parts) {
    const raw = (high - low) / parts, power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, 5, 10].find(factor => raw <= factor * power * 1.0000001);
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
    text(frame, 'note', x + (atRight ? -9 : 9), y + 18, atRight ? 'end' : 'start', label);
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
