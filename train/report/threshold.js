// The threshold in use, which the slider moves, and what is decided by it: counts, false-alarm interval, confusion table.

const source = document.getElementById('data'), data = JSON.parse(source.textContent);
source.remove(); // the pictures need to be in memory only once
const labelled = data.kind === 'run';
const scoreSets = data.scores || {}, validation = data.validation || {count: 0, sorted: []};
const watchers = []; // called without arguments when the threshold has moved
let threshold = data.threshold; // null: none is known
const isOwn = () => threshold === data.threshold;

function countMistakes() {
    const {good, anomalous} = scoreSets;
    return {good: good.count, anomalous: anomalous.count, alarms: countReaching(good, threshold),
        found: countReaching(anomalous, threshold)};
}

// ---- moving ----

const scoreRange = () => {
    const own = isNumber(data.threshold) ? [[data.threshold]] : [];
    return rangeOf([...Object.values(scoreSets), validation].map(set => set.sorted).concat(own));
};
const scoreText = textBetween(...scoreRange());

function moveThreshold(value) {
    if (value === threshold) return;
    threshold = value;
    for (const watcher of watchers) watcher();
    redraw('judged');
}

// The bar that stays in sight: slider, the same as a number, the way back, and what is decided in short.
function drawSlider(parent, summary) {
    const [low, high] = scoreRange(), own = isNumber(data.threshold);
    const bar = add(parent, 'div', {class: 'slider', role: 'group', 'aria-label': 'Threshold'});
    const start = own ? data.threshold : high;
    const range = add(bar, 'input', {type: 'range', id: 'threshold', 'aria-label': 'Threshold of the score', min: low, max: high,
        step: 'any', value: start});
    const row = add(bar, 'div', {class: 'row'});
    add(row, 'label', {for: 'threshold-number'}, 'Threshold');
    const number = add(row, 'input', {type: 'number', id: 'threshold-number', step: 'any', value: own ? scoreText(start) : null});
    const back = own ? add(row, 'button', {type: 'button', id: 'threshold-back'}, `back to ${scoreText(start)}`) : null;
    const output = add(row, 'output', {id: 'threshold-summary', for: 'threshold threshold-number'});
    let waiting = false, wanted = threshold;
    const later = value => { // at most once a frame
        wanted = value;
        if (!waiting) requestAnimationFrame(() => { waiting = false; moveThreshold(wanted); });
        waiting = true;
    };
    const update = () => {
        const text = isNumber(threshold) ? scoreText(threshold) : 'none';
        range.setAttribute('aria-valuetext', text);
        if (document.activeElement !== number) number.value = isNumber(threshold) ? text : '';
        if (document.activeElement !== range && isNumber(threshold)) range.value = threshold;
        if (back) back.disabled = isOwn();
        output.textContent = summary();
    };
    range.addEventListener('input', () => later(Number(range.value)));
    number.addEventListener('input', () => { if (number.value !== '') later(Number(number.value)); });
    if (back) back.addEventListener('click', () => { range.value = data.threshold; moveThreshold(data.threshold); });
    watchers.push(update);
    update();
}

// ---- what is decided ----

// "At 0.3, the threshold of the model"
function nameThreshold() {
    const owner = data.has_threshold ? 'of the model' : 'of the best F1 (chosen on these very images)';
    return isOwn() ? `At ${scoreText(threshold)}, the threshold ${owner}`
        : `At ${scoreText(threshold)}` + (isNumber(data.threshold) ? ` (the threshold ${owner}: ${scoreText(data.threshold)})` : '');
}

function describeAlarms() {
    if (validation.count === 0 || !isNumber(threshold)) return '';
    const alarms = countReaching(validation, threshold);
    return `Of ${validation.count} validation images, normal ones held back from training, ${alarms} reach it: ` +
        `a false-alarm rate of ${rates(intervalOf(alarms, validation.count))} (95 % confidence).`;
}

function describeRegions() {
    const metrics = data.metrics || {};
    if (!isNumber(data.pixel_threshold)) return '';
    const bounds = [metrics.validation_region_fpr_low, metrics.validation_region_fpr_high];
    return `Regions (outlined) are the pixels of ${scoreText(data.pixel_threshold)} or more` +
        (bounds.every(isNumber) ? `; ${rates(bounds)} of such normal images have one (95 % confidence).` : '.');
}

function describeMistakes() {
    if (!isNumber(threshold) || data.of_validation) return '';
    const count = countMistakes();
    return `${nameThreshold()}: ${count.found} of ${count.anomalous} anomalous images found, ${count.alarms} of ${count.good} ` +
        'good ones called anomalous.';
}

// A paragraph that says it anew when the threshold moves.
function addWatched(parent, describe) {
    const paragraph = add(parent, 'p', {class: 'soft after'});
    const update = () => {
        paragraph.textContent = describe();
        paragraph.hidden = paragraph.textContent === '';
    };
    watchers.push(update);
    update();
}

// Rows of [name, function of the counts], the table's cells following the threshold.
function addWatchedTable(parent, id, head, rows) {
    const table = addTable(parent, [head, ...rows.map(([name, ...cells]) => [name, ...cells.map(() => '')])],
        {headed: true, label: head[0]});
    table.id = id;
    const update = () => {
        const count = isNumber(threshold) ? countMistakes() : null;
        rows.forEach(([, ...cells], i) => cells.forEach((cell, j) => {
            table.rows[i + 1].cells[j + 1].textContent = count ? cell(count) : '–';
        }));
    };
    watchers.push(update);
    update();
}

function drawConfusion(parent) {
    const columns = add(parent, 'div', {class: 'columns'}), called = count => count.found + count.alarms;
    addWatchedTable(columns, 'confusion', ['images', 'called anomalous', 'called good', 'all'], [
        ['anomalous', count => count.found, count => count.anomalous - count.found, count => count.anomalous],
        ['good', count => count.alarms, count => count.good - count.alarms, count => count.good],
        ['all', called, count => count.anomalous + count.good - called(count), count => count.anomalous + count.good]]);
    addWatchedTable(columns, 'rates', ['rate', '%'], [
        ['anomalous images found (recall)', count => percent(count.found / count.anomalous)],
        ['anomalous among those called so (precision)', count => percent(count.found / called(count))],
        ['good images called anomalous', count => percent(count.alarms / count.good)],
        ['F1', count => percent(2 * count.found / (called(count) + count.anomalous))]]);
}

// ---- the section ----

function summarizeMistakes() {
    if (!isNumber(threshold)) return 'none';
    const count = countMistakes();
    return data.of_validation ? `${count.alarms} of ${count.good} reach it`
        : `${count.found} of ${count.anomalous} found, ${count.alarms} of ${count.good} false alarms`;
}

function drawThreshold(parent) {
    if (Object.values(scoreSets).every(set => set.count === 0)) return;
    add(parent, 'h2', {}, 'Threshold');
    const plots = add(parent, 'div', {class: 'plots'}), range = scoreRange();
    addChart(plots, 'wide judged', figure => {
        const names = Object.entries(scoreSets).map(([name, set]) => [name, set, name === 'anomalous' ? 2 : 1]);
        const label = isOwn() && !data.has_threshold ? 'threshold of the best F1' : 'threshold';
        drawHistogram(figure, {title: 'Scores of the ' + IMAGES.toLowerCase(), xLabel: 'image score', range,
            sets: names.filter(([, set]) => set.count > 0), marker: [threshold, label]});
    });
    drawSlider(parent, summarizeMistakes);
    if (!data.of_validation) drawConfusion(parent);
    addWatched(parent, () => [describeMistakes(), describeAlarms(), describeRegions()].filter(Boolean).join(' '));
}
