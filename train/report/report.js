// Draws the page from its data, with what charts.js has: a run's report or that of images without labels (report.c), or a
// sweep's (sweep_page.c). Names come from folders and files of others, so text is only ever set as textContent or as an
// attribute, never as HTML.

// ---- the head of a run's report ----

const metrics = data.metrics || {}, kinds = metrics.defects || {}; // none in other pages
const hasMean = Boolean(kinds.mean && kinds.logical_anomalies && kinds.structural_anomalies);
const inPlace = (place, sets) => data.columns.filter(
    column => column.places.includes(place) && sets.some(set => column.key in set));

// Without test images the page shows those held back from training.
const IMAGES = data.of_validation ? 'Validation images' : 'Test images';

function drawTiles() {
    const main = hasMean ? kinds.mean : metrics, tiles = add(page, 'div', {class: 'tiles'});
    for (const column of data.of_validation ? [] : inPlace('tile', [main])) {
        const value = main[column.key], tile = add(tiles, 'div', {class: 'tile'}, add(null, 'b', {}, percent(value)));
        if (isNumber(value)) add(tile.firstChild, 'small', {}, ' %');
        add(tile, 'span', {}, column.title + (hasMean ? ', mean of both kinds' : ''));
    }
    add(tiles, 'div', {class: 'tile'}, add(null, 'b', {}, metrics.images), add(null, 'span', {}, IMAGES));
}

// Counts at the threshold in use.
function countMistakes() {
    const count = {found: 0, anomalous: 0, alarms: 0, good: 0};
    for (const [score, anomalous] of data.scores) {
        count[anomalous ? 'anomalous' : 'good']++;
        if (score >= data.threshold) count[anomalous ? 'found' : 'alarms']++;
    }
    return count;
}

// A sentence with the mistakes at the threshold in use, and one with what it was chosen by.
function drawThreshold() {
    if (!isNumber(data.threshold)) return;
    const count = countMistakes(), wrong = count.anomalous - count.found + count.alarms;
    const f1 = 2 * count.found / (2 * count.found + wrong);
    let sentence = `At ${short(data.threshold)}, the threshold of the ` +
        (data.has_threshold ? 'model' : 'best F1 (chosen on these very images)') +
        `: ${count.found} of ${count.anomalous} anomalous images found, ${count.alarms} of ${count.good} good ones ` +
        'called anomalous' + (isNumber(f1) ? `, F1 ${percent(f1)} %.` : '.');
    if (data.of_validation) sentence = `The threshold of the model is ${short(data.threshold)}.`;
    if (data.has_threshold && metrics.validation_images) {
        const alarms = Math.round(metrics.validation_fpr * metrics.validation_images);
        const bounds = [metrics.validation_fpr_low, metrics.validation_fpr_high];
        const [low, high] = bounds.map(bound => String(Number((100 * bound).toPrecision(3))));
        sentence += ` Of ${metrics.validation_images} validation images, normal ones held back from training, ` +
            `${alarms} reach it: a false-alarm rate of ${low} to ${high} % (95 % confidence).`;
    }
    if (isNumber(metrics.pixel_threshold)) {
        sentence += ` Pixels of the maps from ${short(metrics.pixel_threshold)} on make regions, which are outlined`;
        if (isNumber(metrics.validation_region_fpr)) {
            const bounds = [metrics.validation_region_fpr_low, metrics.validation_region_fpr_high];
            const [low, high] = bounds.map(bound => String(Number((100 * bound).toPrecision(3))));
            sentence += `; ${low} to ${high} % of such normal images have one (95 % confidence)`;
        }
        sentence += '.';
    }
    add(page, 'p', {class: 'soft after'}, sentence);
}

// Images that are in no pixel metric, the first of them by name.
function drawUnmasked() {
    const count = metrics.images_without_mask, named = metrics.without_mask || [];
    if (!count) return;
    add(page, 'p', {class: 'soft after'}, 'Without a mask that can be used, and so in no pixel metric: ' +
        `${count} anomalous ${count === 1 ? 'image' : 'images'}: ${named.join(', ')}` +
        (count > named.length ? ` and ${count - named.length} more.` : '.'));
}

function drawKinds() {
    if (Object.keys(kinds).length === 0) return;
    add(page, 'h2', {}, 'Kinds of defects');
    add(page, 'p', {class: 'soft'}, 'Each kind against all good images, in percent.');
    const table = add(add(page, 'div', {class: 'card'}), 'table'), columns = inPlace('defects', Object.values(kinds));
    const head = add(add(table, 'thead'), 'tr', {}, add(null, 'th', {}, 'kind'), add(null, 'th', {}, 'images'));
    for (const column of columns) add(head, 'th', {title: column.title}, column.column);
    const body = add(table, 'tbody');
    const addRow = (name, set, all) => {
        const row = add(body, 'tr', {class: all ? 'all' : null}, add(null, 'td', {}, name), add(null, 'td', {}, set.images));
        for (const {key} of columns) {
            const cell = add(row, 'td', {}, percent(set[key]));
            if (isNumber(set[key])) add(add(cell, 'i'), 'u', {style: `width:${percent(set[key])}%`});
        }
    };
    for (const [name, set] of Object.entries(kinds)) if (set !== kinds.mean || !hasMean) addRow(name, set, false);
    if (hasMean) addRow('mean of logical and structural', kinds.mean, true);
    addRow('all', metrics, true);
}

// ---- the charts of a run ----

// sets: two named lists of scores, beside each other; shares: in percent of each, since they differ in number.
function drawHistogram(plots, title, sets, shares, marker) {
    const BINS = 28, names = Object.keys(sets), lists = Object.values(sets), scores = lists.flat();
    if (scores.length === 0) return;
    let low = scores.reduce((a, b) => Math.min(a, b)), high = scores.reduce((a, b) => Math.max(a, b));
    const edge = high > low ? 0.02 * (high - low) : 0.5;
    low -= edge;
    high += edge;
    const counts = names.map(() => new Array(BINS).fill(0)), size = (high - low) / BINS;
    lists.forEach((list, which) => {
        const each = shares ? 100 / list.length : 1;
        for (const score of list) counts[which][Math.min(BINS - 1, Math.floor((score - low) / size))] += each;
    });
    const highest = Math.max(3, ...counts.flat()); // 3, so that ticks are whole numbers
    const frame = openChart(add(plots, 'div', {class: 'wide'}), {title, xLabel: 'image score',
        yLabel: shares ? 'share of the images, %' : 'images', x: [low, high], y: [0, 1.08 * highest], width: FULL,
        legend: names.map((name, which) => [name, which + 1])});
    const bar = (frame.x(low + size) - frame.x(low) - 2) / 2;
    counts.forEach((bins, which) => bins.forEach((count, bin) => {
        if (count === 0) return;
        const from = low + bin * size, y = frame.y(count);
        draw(frame.svg, 'rect', {class: 'bar s' + (which + 1), x: round(frame.x(from) + 1 + which * bar), y,
            width: round(bar), height: round(frame.bottom - y)},
        draw(null, 'title', {}, `${names[which]}: ${short(count)}${shares ? ' %' : ''} with a score of ${short(from)} to ${short(from + size)}`));
    }));
    drawMarker(frame, [low, high], data.threshold, marker);
}

function drawTestScores(plots) {
    const of = wanted => data.scores.filter(([, anomalous]) => anomalous === wanted).map(([score]) => score);
    drawHistogram(plots, 'Scores of the ' + IMAGES.toLowerCase(), {good: of(0), anomalous: of(1)}, false,
        data.has_threshold ? 'threshold' : 'threshold of the best F1');
}

// A curve over 0..1 x 0..1. chance: a detector that guesses stays at this level, by default on the diagonal.
function drawCurve(plots, name, title, xLabel, yLabel, legend, {chance, shade, point}) {
    const flat = data.curves[name];
    if (!flat) return;
    const frame = openChart(plots, {title, xLabel, yLabel, x: [0, 1], y: [0, 1], width: HALF,
        legend: [['chance', 0], [legend, 1]]});
    if (shade) {
        draw(frame.svg, 'rect', {class: 'shade', x: frame.left, y: frame.top, width: frame.x(shade) - frame.left,
            height: frame.bottom - frame.top});
    }
    drawLine(frame, 0, [0, 1], isNumber(chance) ? [chance, chance] : [0, 1], isNumber);
    drawLine(frame, 1, flat.filter((_, i) => i % 2 === 0), flat.filter((_, i) => i % 2 === 1), isNumber);
    drawPoint(frame, point, data.has_threshold ? 'threshold' : 'best F1');
}

function drawCurves(plots) {
    const count = countMistakes(), all = count.anomalous + count.good, called = count.found + count.alarms;
    const inUse = isNumber(data.threshold), recall = inUse ? count.found / count.anomalous : NaN;
    const area = key => (isNumber(metrics[key]) ? metrics[key].toFixed(4) : '–');
    const rate = 'false-positive rate of the pixels', pixelPr = data.curves.pixel_pr;
    drawCurve(plots, 'roc', 'ROC of the images', 'false-positive rate', 'true-positive rate',
        'ROC, area ' + area('image_auroc'), {point: [inUse ? count.alarms / count.good : NaN, recall]});
    drawCurve(plots, 'pr', 'Precision and recall of the images', 'recall', 'precision',
        'precision, mean ' + area('image_ap'), {chance: count.anomalous / all, point: [recall, count.found / called]});
    drawCurve(plots, 'pro', 'PRO of the pixels', rate, 'mean overlap of the defects',
        'PRO, area to 0.30 ' + area('au_pro_0.30'), {shade: 0.3});
    drawCurve(plots, 'pixel_pr', 'Precision and recall of the pixels', 'recall', 'precision',
        'precision, mean ' + area('pixel_ap'), {chance: pixelPr && pixelPr[pixelPr.length - 1]});
    if (!data.curves.spro) return; // MVTec LOCO; two curves, so that no place in the grid stays empty
    drawCurve(plots, 'spro', 'sPRO of the pixels', rate, 'mean saturated overlap',
        'sPRO, area to 0.05 ' + area('au_spro_0.05'), {shade: 0.05});
    drawCurve(plots, 'pixel_roc', 'ROC of the pixels', rate, 'true-positive rate',
        'ROC, area ' + area('pixel_auroc'), {});
}

// A loss that is switched off is all zeros and gets no line.
function drawLosses(plots) {
    const losses = data.losses;
    if (!losses || losses.steps.length < 2) return;
    const visible = value => isNumber(value) && value > 0;
    const series = losses.series.map((one, i) => ({...one, color: 1 + i % 5})).filter(one => one.values.some(visible));
    const values = series.flatMap(one => one.values).filter(visible);
    if (values.length === 0) return;
    const frame = openChart(add(plots, 'div', {class: 'wide'}), {title: 'Losses', xLabel: 'step',
        yLabel: 'loss (log scale)', x: [0, losses.last_step], y: [0.85 * Math.min(...values), 1.15 * Math.max(...values)],
        log: true, width: FULL, legend: series.map(one => [one.name.replace(/^loss_/, ''), one.color])});
    for (const one of series) drawLine(frame, one.color, losses.steps, one.values, visible);
}

// ---- the test images ----

const labelled = data.kind === 'run';
const SECTIONS = ['Missed defects', 'False alarms', labelled ? 'All others, highest score first' : 'Highest score first'];

// Where the score stands between the lowest and the highest, and the threshold as a tick.
function drawBar(shot, image, share) {
    const bar = add(shot, 'i', {class: 'score s' + (image.anomalous ? 2 : 1)});
    add(bar, 'u', {style: `width:${share(image.score)}%`});
    const at = isNumber(data.threshold) ? share(data.threshold) : NaN;
    if (at > 0 && at < 100) add(bar, 's', {style: `left:${at}%`});
}

function drawShot(shots, image, index, share) {
    const name = image.path.split('/').pop(), wrong = image.section < 2;
    const kind = (image.anomalous ? 'bad' : 'good') + (wrong ? ' wrong' : '');
    const shot = add(shots, 'figure', {class: 'shot ' + kind, id: 'image-' + index});
    if (image.image) {
        const pair = add(shot, 'a', {class: 'pair', href: '#image-' + index});
        for (const [what, src] of [['image', image.image], ['heat map', image.map]])
            add(pair, 'img', {src, width: image.width, height: image.height, alt: `${what} of ${name}`, decoding: 'async'});
    }
    drawBar(shot, image, share);
    add(shot, 'figcaption', {}, add(null, 'b', {}, short(image.score)),
        add(null, 'span', {class: 'tag s' + (image.anomalous ? 2 : 1)}, image.defect),
        add(null, 'span', {class: 'name', title: image.path}, name),
        add(null, 'a', {class: 'close', href: '#images'}, 'close'));
}

// Images come in the order of their sections; from some image on there may be no pictures: then rows are low.
function drawGallery() {
    const gallery = data.gallery;
    if (!gallery) return;
    const images = gallery.images, scores = images.map(image => image.score);
    const lowest = scores.reduce((a, b) => Math.min(a, b)), highest = scores.reduce((a, b) => Math.max(a, b));
    const share = score => round(highest > lowest ? 100 * (score - lowest) / (highest - lowest) : 50);
    add(page, 'h2', {id: 'images'}, labelled ? IMAGES : 'Images');
    add(page, 'p', {class: 'soft'}, `Image${gallery.outlined ? ' (true defect outlined)' : ''} and anomaly map, coloured from `,
        String(Number(gallery.low.toPrecision(3))),
        add(null, 'span', {class: 'ramp', style: `background:linear-gradient(90deg,${gallery.ramp.join()})`}),
        String(Number(gallery.high.toPrecision(3))),
        '. The bold number is the image score; the bar shows it between the lowest and the highest' +
        (isNumber(data.threshold) ? ', the tick is the threshold.' : '.') + ' A click enlarges.' +
        (gallery.dropped ? ` ${gallery.dropped} more images, with lower scores than these, are left out.` : ''));
    const box = add(page, 'div', {class: 'gallery'}), anomalous = images.filter(image => image.anomalous).length;
    const choices = labelled ? [['all', 'all', images.length],
        ['wrong', 'mistakes', images.filter(image => image.section < 2).length],
        ['bad', 'anomalous', anomalous], ['good', 'good', images.length - anomalous]] : [['all', 'all', images.length],
        ['bad', 'NG', anomalous], ['good', 'OK', images.length - anomalous]];
    for (const [id, label, count] of choices) {
        add(box, 'input', {type: 'radio', name: 'show', id: 'show-' + id, checked: id === 'all' ? '' : null});
        add(box, 'label', {for: 'show-' + id}, label + ' ', add(null, 'b', {}, count));
    }
    const bare = images.findIndex(image => !image.image);
    let shots = null, section = -1;
    images.forEach((image, index) => {
        if (image.section !== section) {
            section = image.section;
            const size = images.filter(other => other.section === section).length;
            add(box, 'h3', {class: section < 2 ? 'wrong' : 'right'}, SECTIONS[section] + ' ', add(null, 'small', {}, size));
            shots = null;
        }
        if (index === bare) {
            add(box, 'p', {class: 'soft after'}, `The other ${images.length - bare} images without pictures: the page keeps ` +
                `to ${gallery.budget / 1e6} MB.`);
            shots = null;
        }
        if (!shots) shots = add(box, 'div', {class: image.image ? 'shots' : 'shots bare'});
        drawShot(shots, image, index, share);
    });
}

// ---- settings and provenance ----

function drawFacts(parent, title, facts) {
    if (facts.length === 0) return;
    const table = add(add(add(parent, 'div', {}, add(null, 'h2', {}, title)), 'div', {class: 'card'}), 'table', {class: 'facts'});
    for (const fact of facts) add(table, 'tr', {}, ...fact.map(part => add(null, 'td', {}, part)));
}

function drawSettings() {
    if (!data.config) return;
    add(page, 'h2', {id: 'settings'}, 'Settings');
    if (data.changed && data.changed.length > 0) {
        const table = add(add(page, 'div', {class: 'card'}), 'table', {class: 'facts'});
        add(table, 'tr', {}, ...['not as in the paper', 'here', 'default'].map(head => add(null, 'th', {}, head)));
        for (const row of data.changed) add(table, 'tr', {}, ...row.map(part => add(null, 'td', {}, part)));
    } else if (data.changed) {
        add(page, 'p', {class: 'soft'}, 'All as in the paper.');
    }
    add(page, 'details', {class: 'card'}, add(null, 'summary', {}, 'Effective configuration'), add(null, 'pre', {}, data.config));
}

function drawRun() {
    drawTiles();
    drawThreshold();
    drawUnmasked();
    drawKinds();
    add(page, 'h2', {id: 'curves'}, 'Curves');
    const plots = add(page, 'div', {class: 'plots'});
    drawTestScores(plots);
    if (!data.of_validation) drawCurves(plots);
    drawLosses(plots);
    drawGallery();
    const columns = add(page, 'div', {class: 'columns'});
    drawFacts(columns, 'Provenance', data.provenance);
    drawFacts(columns, 'Timings', data.timings);
    drawSettings();
}

// ---- images without labels ----

function drawCounts() {
    const known = isNumber(data.threshold), tiles = add(page, 'div', {class: 'tiles'});
    const counts = [['images', data.count + data.failed]];
    if (known) counts.push(['NG, with the threshold or more', data.anomalous], ['OK, below it', data.count - data.anomalous]);
    if (data.failed > 0) counts.push(['not scored', data.failed]);
    for (const [name, count] of counts)
        add(tiles, 'div', {class: 'tile'}, add(null, 'b', {}, count), add(null, 'span', {}, name));
    let sentence = known ? `NG: a score of ${short(data.threshold)} or more, the threshold.` : 'No threshold is known.';
    if (isNumber(data.pixel_threshold))
        sentence += ` Regions, outlined in the maps: pixels from ${short(data.pixel_threshold)} on.`;
    add(page, 'p', {class: 'soft after'}, sentence);
}

// Scores in the order of the images, to see a drift; of many images by groups that follow each other.
function drawCourse(plots) {
    const course = data.course, group = data.group, threshold = isNumber(data.threshold) ? [data.threshold] : [];
    if (course.length < 2) return;
    const all = course.flat().concat(threshold), low = Math.min(...all), high = Math.max(...all);
    const edge = high > low ? 0.05 * (high - low) : 0.5, single = group === 1;
    const frame = openChart(add(plots, 'div', {class: 'wide'}), {title: 'Scores in the order of the images',
        xLabel: single ? 'image' : `image (each point: ${group} that follow each other)`, yLabel: 'image score',
        x: [1, group * (course.length - 1) + 1], y: [low - edge, high + edge], width: FULL,
        legend: single ? [['score', 1]] : [['mean', 1], ['highest', 2], ['lowest', 3]]});
    const xs = course.map((_, i) => group * i + 1);
    if (!single) drawLine(frame, 3, xs, course.map(values => values[0]), isNumber);
    if (!single) drawLine(frame, 2, xs, course.map(values => values[2]), isNumber);
    drawLine(frame, 1, xs, course.map(values => values[1]), isNumber);
    if (threshold.length === 0) return;
    const y = frame.y(data.threshold);
    line(frame, 'marker', frame.left, y, frame.right, y);
    text(frame, 'note', frame.right - 4, y - 6, 'end', 'threshold');
}

function drawUnlabelled() {
    drawCounts();
    const plots = add(page, 'div', {class: 'plots'});
    const held = data.validation.length > 0 ? {'validation images of the model': data.validation} : {};
    drawHistogram(plots, 'Scores', {...held, 'these images': data.scores}, true, 'threshold');
    drawCourse(plots);
    drawGallery();
    drawFacts(add(page, 'div', {class: 'columns'}), 'Provenance', data.provenance);
}

// ---- a sweep ----

function drawTable(parent, rows) {
    const table = add(add(parent, 'div', {class: 'card'}), 'table');
    rows.forEach((cells, i) => add(table, 'tr', {}, ...cells.map(cell => add(null, i === 0 ? 'th' : 'td', {}, cell))));
}

// The range of all dots with some air, never beyond 100.
function dotRange(series) {
    let low = Infinity, high = -Infinity;
    for (const one of series)
        one.means.forEach((mean, row) => {
            if (!isNumber(mean)) return;
            low = Math.min(low, mean - (one.deviations[row] || 0));
            high = Math.max(high, mean + (one.deviations[row] || 0));
        });
    const air = high > low ? 0.06 * (high - low) : 0.5, start = Math.max(low - air, 0);
    return [start, Math.min(high + air, Math.max(101, start + 1))];
}

// Named rows with dots and whiskers: means with their standard deviations. Series share a row by standing a little
// below each other.
function drawDots(parent, chart, xLabel, width) {
    const series = chart.series, rows = chart.rows, each = series.length > 2 ? 10 * series.length : 24;
    const longest = Math.max(...rows.map(row => row.length)), range = dotRange(series);
    const frame = openChart(parent, {title: chart.title, xLabel, x: range, y: [0, 1], width,
        left: Math.min(320, Math.max(80, 16 + 7 * longest)), height: MARGIN.top + rows.length * each + MARGIN.bottom,
        legend: series.map((one, i) => [one.name, i + 1])});
    rows.forEach((name, row) => {
        const y = frame.top + (row + 0.5) * each;
        text(frame, 'tick', frame.left - 8, y + 4, 'end', name);
        if (row > 0) line(frame, 'grid', frame.left, y - each / 2, frame.right, y - each / 2);
        series.forEach((one, i) => {
            const mean = one.means[row], spread = one.deviations[row];
            if (!isNumber(mean)) return;
            const offset = series.length > 1 ? (i + 0.5) / series.length - 0.5 : 0, at = round(y + 0.6 * offset * each);
            const dot = draw(frame.svg, 'g', {class: `dot s${i + 1}${one.hollow ? ' hollow' : ''}`});
            if (isNumber(spread))
                draw(dot, 'line', {x1: frame.x(Math.max(mean - spread, range[0])), y1: at,
                    x2: frame.x(Math.min(mean + spread, range[1])), y2: at});
            const label = `${one.name}: ${mean.toFixed(2)}${isNumber(spread) ? ' ± ' + spread.toFixed(2) : ''}`;
            draw(dot, 'circle', {cx: frame.x(mean), cy: at, r: 4}, draw(null, 'title', {}, label));
        });
    });
}

function drawSweep() {
    add(page, 'p', {class: 'soft'}, data.notes);
    for (const metric of data.metrics) {
        add(page, 'h2', {}, metric.title);
        drawTable(page, metric.table);
        if (metric.note) add(page, 'p', {class: 'soft'}, metric.note);
        const plots = add(page, 'div', {class: 'plots'});
        for (const chart of metric.charts) drawDots(plots, chart, metric.title, FULL / 2);
        if (!metric.scenarios) continue;
        add(page, 'h3', {}, 'By scenario');
        drawDots(add(add(page, 'div', {class: 'plots'}), 'div', {class: 'wide'}), metric.scenarios, metric.title, FULL);
        const details = add(page, 'details', {class: 'card'}, add(null, 'summary', {}, 'Numbers'));
        drawTable(details, metric.scenario_table);
    }
}

// ---- the page ----

document.title = data.title;
page.replaceChildren();
add(page, 'header', {}, add(null, 'h1', {}, data.title));
if (data.subtitle) add(page.firstChild, 'p', {}, data.subtitle);
if (data.kind === 'sweep') drawSweep();
else if (data.kind === 'unlabelled') drawUnlabelled();
else drawRun();
if (location.hash) location.replace(location.hash); // its target did not exist when the page was opened
