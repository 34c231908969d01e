// Draws the page from its data, with what the other scripts have: a run's report or that of images without labels (report.c),
// or a sweep's (sweep_page.c). Names come from folders and files of others, so text is only ever set as textContent or as an
// attribute, never as HTML.

// ---- the head of a run's report ----

const metrics = data.metrics || {}, kinds = metrics.defects || {}; // none in other pages
const hasMean = Boolean(kinds.mean && kinds.logical_anomalies && kinds.structural_anomalies);
const inPlace = (place, sets) => data.columns.filter(
    column => column.places.includes(place) && sets.some(set => column.key in set));

function drawTiles() {
    const main = hasMean ? kinds.mean : metrics, tiles = add(page, 'div', {class: 'tiles'});
    for (const column of data.of_validation ? [] : inPlace('tile', [main])) {
        const value = main[column.key], tile = add(tiles, 'div', {class: 'tile'}, add(null, 'b', {}, percent(value)));
        if (isNumber(value)) add(tile.firstChild, 'small', {}, ' %');
        add(tile, 'span', {}, column.title + (hasMean ? ', mean of both kinds' : ''));
    }
    add(tiles, 'div', {class: 'tile'}, add(null, 'b', {}, metrics.images), add(null, 'span', {}, IMAGES));
}

// Images that are in no pixel metric, the first of them by name.
function drawUnmasked(parent) {
    const count = metrics.images_without_mask, named = metrics.without_mask || [];
    if (!count) return;
    add(parent, 'p', {class: 'soft after'}, 'Without a mask that can be used, and so in no pixel metric: ' +
        `${count} anomalous ${count === 1 ? 'image' : 'images'}: ${named.join(', ')}` +
        (count > named.length ? ` and ${count - named.length} more.` : '.'));
}

function drawKinds(parent) {
    if (Object.keys(kinds).length === 0) return;
    add(parent, 'h2', {}, 'Kinds of defects');
    add(parent, 'p', {class: 'soft'}, 'Each kind against all good images, in percent' +
        (data.has_threshold ? ', at the threshold of the model.' : '.'));
    const columns = inPlace('defects', Object.values(kinds));
    const table = addTable(parent, [['kind', 'images', ...columns.map(column => column.column)]]);
    columns.forEach((column, i) => { table.rows[0].cells[2 + i].title = column.title; });
    const addRow = (name, set, all) => {
        const row = add(table, 'tr', {class: all ? 'all' : null}, add(null, 'th', {scope: 'row'}, name), add(null, 'td', {}, set.images));
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

// A curve over 0..1 x 0..1. chance: a detector that guesses stays at this level, by default on the diagonal; point: that of
// the threshold, as a function.
function addCurve(plots, name, title, xLabel, yLabel, legend, {chance, shade, point}) {
    const flat = data.curves[name];
    if (!flat) return;
    const xs = flat.filter((_, i) => i % 2 === 0), ys = flat.filter((_, i) => i % 2 === 1);
    addChart(plots, point ? 'judged' : '', figure => {
        const frame = openChart(figure, {title, xLabel, yLabel, x: [0, 1], y: [0, 1], legend: [['chance', 0], [legend, 1]]});
        if (shade) {
            draw(frame.svg, 'rect', {class: 'shade', x: frame.left, y: frame.top, width: frame.x(shade) - frame.left,
                height: frame.bottom - frame.top});
        }
        drawLine(frame, 0, [0, 1], isNumber(chance) ? [chance, chance] : [0, 1], isNumber);
        drawLine(frame, 1, xs, ys, isNumber);
        if (point && isNumber(threshold)) drawPoint(frame, point(), isOwn() && !data.has_threshold ? 'best F1' : 'threshold');
    });
}

function drawCurves(plots) {
    const {good, anomalous} = scoreSets, area = key => (isNumber(metrics[key]) ? metrics[key].toFixed(4) : '–');
    const rate = 'false-positive rate of the pixels', pixelPr = data.curves.pixel_pr;
    addCurve(plots, 'roc', 'ROC of the images', 'false-positive rate', 'true-positive rate', 'ROC, area ' + area('image_auroc'),
        {point: () => [countReaching(good, threshold) / good.count, countReaching(anomalous, threshold) / anomalous.count]});
    addCurve(plots, 'pr', 'Precision and recall of the images', 'recall', 'precision', 'precision, mean ' + area('image_ap'),
        {chance: anomalous.count / (good.count + anomalous.count), point: () => {
            const found = countReaching(anomalous, threshold);
            return [found / anomalous.count, found / (found + countReaching(good, threshold))];
        }});
    addCurve(plots, 'pro', 'PRO of the pixels', rate, 'mean overlap of the defects',
        'PRO, area to 0.30 ' + area('au_pro_0.30'), {shade: 0.3});
    addCurve(plots, 'pixel_pr', 'Precision and recall of the pixels', 'recall', 'precision',
        'precision, mean ' + area('pixel_ap'), {chance: pixelPr && pixelPr[pixelPr.length - 1]});
    if (!data.curves.spro) return; // MVTec LOCO; two curves, so that no place in the grid stays empty
    addCurve(plots, 'spro', 'sPRO of the pixels', rate, 'mean saturated overlap',
        'sPRO, area to 0.05 ' + area('au_spro_0.05'), {shade: 0.05});
    addCurve(plots, 'pixel_roc', 'ROC of the pixels', rate, 'true-positive rate', 'ROC, area ' + area('pixel_auroc'), {});
}

// A loss that is switched off is all zeros and gets no line.
function drawLosses(plots) {
    const losses = data.losses;
    if (!losses || losses.steps.length < 2) return;
    const visible = value => isNumber(value) && value > 0;
    const series = losses.series.map((one, i) => ({...one, color: 1 + i % 5})).filter(one => one.values.some(visible));
    const values = series.flatMap(one => one.values).filter(visible);
    if (values.length === 0) return;
    const y = [0.85 * Math.min(...values), 1.15 * Math.max(...values)];
    addChart(plots, 'wide', figure => {
        const frame = openChart(figure, {title: 'Losses', xLabel: 'step', yLabel: 'loss (log scale)', x: [0, losses.last_step], y,
            log: true, legend: series.map(one => [one.name.replace(/^loss_/, ''), one.color])});
        for (const one of series) drawLine(frame, one.color, losses.steps, one.values, visible);
    });
}

// How long the images took, each by itself.
function drawLatency(plots) {
    const set = data.latency, beside = data.side_by_side;
    if (!set || set.sorted.length < 2) return;
    const title = 'Time of each image, network and map' + (beside > 1 ? `, with ${beside} side by side` : '');
    addChart(plots, 'wide', figure => drawHistogram(figure, {title, xLabel: 'milliseconds', unit: ' ms', range: rangeOf([set.sorted]),
        sets: [['images', set, 1]]}));
}

// ---- settings and provenance ----

function drawFacts(parent, title, facts) {
    if (facts.length === 0) return;
    const part = add(parent, 'div', {}, add(null, 'h2', {}, title));
    const table = add(add(part, 'div', {class: 'card'}), 'table', {class: 'facts', 'aria-label': title});
    for (const [name, value] of facts)
        add(table, 'tr', {}, add(null, 'th', {scope: 'row'}, name), add(null, 'td', {}, value));
}

function drawSettings() {
    if (!data.config) return;
    add(page, 'h2', {id: 'settings'}, 'Settings');
    if (data.changed && data.changed.length > 0)
        addTexts(page, [['not as in the paper', 'here', 'default'], ...data.changed]);
    else if (data.changed)
        add(page, 'p', {class: 'soft'}, 'All as in the paper.');
    add(page, 'details', {class: 'card'}, add(null, 'summary', {}, 'Effective configuration'), add(null, 'pre', {}, data.config));
}

// The slider's bar stays in sight as long as there is something that it judges.
function drawRun() {
    drawTiles();
    const judged = add(page, 'div');
    drawThreshold(judged);
    drawUnmasked(judged);
    drawKinds(judged);
    const plots = add(null, 'div', {class: 'plots'});
    add(judged, 'h2', {id: 'curves'}, 'Curves');
    judged.append(plots);
    if (!data.of_validation) drawCurves(plots);
    drawLosses(plots);
    drawLatency(plots);
    drawGallery(judged);
    const columns = add(page, 'div', {class: 'columns'});
    drawFacts(columns, 'Provenance', data.provenance);
    drawFacts(columns, 'Timings', data.timings);
    drawSettings();
}

// ---- images without labels ----

function drawCounts() {
    const {images} = scoreSets, tiles = add(page, 'div', {class: 'tiles'});
    const counts = [['images', () => images.count + data.failed],
        ['NG: score at or above the threshold', () => (isNumber(threshold) ? countReaching(images, threshold) : '–')],
        ['OK: score below it', () => (isNumber(threshold) ? images.count - countReaching(images, threshold) : '–')]];
    if (data.failed > 0) counts.push(['not scored', () => data.failed]);
    for (const [name, count] of counts) {
        const number = add(null, 'b');
        const update = () => { number.textContent = count(); };
        add(tiles, 'div', {class: 'tile'}, number, add(null, 'span', {}, name));
        watchers.push(update);
        update();
    }
}

function describeDecision() {
    const from = isNumber(threshold) ? `NG: a score of ${scoreText(threshold)} or more` : 'No threshold is known; the slider sets one.';
    const own = !isNumber(threshold) ? '' : isOwn() ? ', the threshold.' : isNumber(data.threshold)
        ? `; the threshold of the model is ${scoreText(data.threshold)}.` : '.';
    return [from + own, describeAlarms(), describeRegions()].filter(Boolean).join(' ');
}

// Scores in the order of the images, to see a drift; of many images by groups that follow each other.
function drawCourse(plots) {
    const course = data.course, group = data.group, single = group === 1;
    if (course.length < 2) return;
    const xs = course.map((_, i) => group * i + 1), all = course.flat().sort((a, b) => a - b);
    addChart(plots, 'wide judged', figure => {
        const frame = openChart(figure, {title: 'Scores in the order of the images',
            xLabel: single ? 'image' : `image (each point: ${group} that follow each other)`, yLabel: 'image score',
            x: [1, group * (course.length - 1) + 1], y: rangeOf([all, isNumber(threshold) ? [threshold] : []]),
            legend: single ? [['score', 1]] : [['mean', 1], ['highest', 2], ['lowest', 3]]});
        if (!single) drawLine(frame, 3, xs, course.map(values => values[0]), isNumber);
        if (!single) drawLine(frame, 2, xs, course.map(values => values[2]), isNumber);
        drawLine(frame, 1, xs, course.map(values => values[1]), isNumber);
        if (!isNumber(threshold)) return;
        const y = frame.y(threshold);
        line(frame, 'marker', frame.left, y, frame.right, y);
        text(frame, 'note', frame.right - 4, y - 6 < frame.top + 10 ? y + 15 : y - 6, 'end', 'threshold');
    });
}

function summarizeDecision() {
    if (!isNumber(threshold)) return 'none';
    const {images} = scoreSets, called = countReaching(images, threshold), alarms = countReaching(validation, threshold);
    return `${called} NG, ${images.count - called} OK` +
        (validation.count > 0 ? `; false-alarm rate ${rates(intervalOf(alarms, validation.count))}` : '');
}

function drawUnlabelled() {
    drawCounts();
    const judged = add(page, 'div'), plots = add(judged, 'div', {class: 'plots after'});
    if (scoreSets.images.count > 0) {
        const range = scoreRange(), held = validation.count > 0 ? [['validation images of the model', validation, 1]] : [];
        addChart(plots, 'wide judged', figure => drawHistogram(figure, {title: 'Scores', xLabel: 'image score', range, shares: true,
            sets: [...held, ['these images', scoreSets.images, 2]], marker: [threshold, 'threshold']}));
        drawSlider(judged, summarizeDecision);
        addWatched(judged, describeDecision);
        drawCourse(add(judged, 'div', {class: 'plots'}));
    }
    drawGallery(judged);
    drawFacts(add(page, 'div', {class: 'columns'}), 'Provenance', data.provenance);
}

// ---- a sweep ----

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
function drawDots(figure, chart, xLabel) {
    const series = chart.series, rows = chart.rows, each = series.length > 2 ? 10 * series.length : 24;
    const longest = Math.max(...rows.map(row => row.length)), range = dotRange(series);
    const left = Math.min(320, 0.45 * widthOf(figure), Math.max(80, 16 + 7 * longest)), letters = Math.floor((left - 16) / 6.6);
    const frame = openChart(figure, {title: chart.title, xLabel, x: range, y: [0, 1], left,
        height: MARGIN.top + rows.length * each + MARGIN.bottom, legend: series.map((one, i) => [one.name, i + 1])});
    rows.forEach((name, row) => {
        const y = frame.top + (row + 0.5) * each, cut = name.length > letters ? name.slice(0, letters - 1) + '…' : name;
        draw(text(frame, 'tick', frame.left - 8, y + 4, 'end', cut), 'title', {}, name);
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

// The reports of the runs, a row a scenario of a variant, a link a seed.
function drawRuns() {
    if (data.runs.length === 0) return;
    add(page, 'h2', {id: 'runs'}, 'Reports of the runs');
    const rows = data.runs.map(({variant, collection, scenario, reports}) => {
        const links = add(null, 'span', {class: 'links'});
        for (const {seed, href} of reports) add(links, 'a', {href}, 'seed ' + seed);
        return [variant, collection, scenario, links];
    });
    addTexts(page, [['variant', 'collection', 'scenario', 'reports'], ...rows]);
}

function drawSweep() {
    add(page, 'p', {class: 'soft'}, data.notes);
    for (const metric of data.metrics) {
        add(page, 'h2', {}, metric.title);
        addTable(page, metric.table, {headed: true});
        if (metric.note) add(page, 'p', {class: 'soft'}, metric.note);
        const plots = add(page, 'div', {class: 'plots'});
        for (const chart of metric.charts) addChart(plots, '', figure => drawDots(figure, chart, metric.title));
        if (!metric.scenarios) continue;
        add(page, 'h3', {}, 'By scenario');
        addChart(add(page, 'div', {class: 'plots'}), 'wide', figure => drawDots(figure, metric.scenarios, metric.title));
        const details = add(page, 'details', {class: 'card'}, add(null, 'summary', {}, 'Numbers'));
        addTable(details, metric.scenario_table, {headed: true});
    }
    drawRuns();
}

// ---- the page ----

document.title = data.title;
page.replaceChildren();
add(page, 'header', {}, add(null, 'h1', {}, data.title));
if (data.subtitle) add(page.firstChild, 'p', {}, data.subtitle);
if (data.kind === 'sweep') drawSweep();
else if (data.kind === 'unlabelled') drawUnlabelled();
else if (data.kind === 'training') drawTraining();
else if (data.kind === 'comparison') drawComparison();
else drawRun();
followWidth();
reachScrolled();
if (location.hash && !/^#image-/.test(location.hash)) location.replace(location.hash); // its target did not exist when the page was opened
