// The threshold to try, which judges the images anew: slider, numbers, charts. The model keeps its own.

const NOWHERE = {count: 0, sorted: []}, HISTORY = 200, PLOT_HEIGHT = 190;
const judge = {thresholds: new Map()}; // name of the model: the threshold that was chosen here

const ownThreshold = () => (isNumber(live.model.threshold) ? live.model.threshold : null);
const thresholdNow = () => (judge.thresholds.has(live.model.name) ? judge.thresholds.get(live.model.name) : ownThreshold());
const isCalled = image => isNumber(thresholdNow()) && image.score >= thresholdNow();
const verdictOf = image => (!isNumber(thresholdNow()) ? '–' : isCalled(image) ? 'NG' : 'OK');
const validationSet = () => live.model.validation || NOWHERE;

function setOf(images) {
    const sorted = images.map(image => image.score).sort((a, b) => a - b);
    return {count: sorted.length, sorted};
}

// ---- the slider ----

// From the lowest score to the highest, but not so far that one outlier leaves no room for the others.
function scoreRange(set) {
    const own = ownThreshold(), held = validationSet().sorted;
    const [low, high] = rangeOf([set.sorted, held, own === null ? [] : [own], set.count + held.length ? [] : [0, 1]]);
    const usual = Math.max(own || 0, held[held.length - 1] || 0, set.sorted[Math.floor(0.9 * set.count)] || 0);
    return [low, usual > 0 && high > 4 * usual ? 4 * usual : high];
}

function describeAlarms() {
    const set = validationSet(), threshold = thresholdNow(), own = ownThreshold();
    const moved = isNumber(threshold) && threshold !== own;
    const kept = !moved ? '' : own === null ? ' Tried here only; the model has no threshold.'
        : ` Tried here only; the model keeps ${short(own)}.`;
    if (set.count === 0)
        return 'The model file holds no scores of validation images: only the images that came are shown, and nothing can be said ' +
            'about the false-alarm rate.' + kept;
    if (!isNumber(threshold)) return 'The model has no threshold; the slider sets one to try.';
    const alarms = countReaching(set, threshold);
    return `Of ${set.count} validation images (normal ones held back from training) ${alarms} reach ${short(threshold)}: ` +
        `a false-alarm rate of ${rates(intervalOf(alarms, set.count))} (95 % confidence).${kept}`;
}

function updateSlider(images) {
    const range = get('threshold'), number = get('threshold-number'), threshold = thresholdNow(), own = ownThreshold();
    const [low, high] = scoreRange(setOf(images)), called = images.filter(isCalled).length;
    range.min = low;
    range.max = high;
    if (document.activeElement !== range || !judge.moving) range.value = isNumber(threshold) ? threshold : high;
    if (document.activeElement !== number) number.value = isNumber(threshold) ? short(threshold) : '';
    range.setAttribute('aria-valuetext', isNumber(threshold) ? short(threshold) : 'none');
    get('threshold-back').textContent = own === null ? 'back' : `back to ${short(own)}`;
    get('threshold-back').disabled = threshold === own;
    get('threshold-summary').textContent = isNumber(threshold)
        ? `${called} NG, ${images.length - called} OK of ${images.length} listed` : 'no threshold';
    get('alarms').textContent = describeAlarms();
}

// changed: called when the threshold has moved, once a frame at most.
function watchSlider(changed) {
    let wanted = null, waiting = false;
    const move = value => {
        wanted = value;
        judge.moving = true;
        if (!waiting) requestAnimationFrame(() => {
            waiting = false;
            if (wanted === null) judge.thresholds.delete(live.model.name);
            else judge.thresholds.set(live.model.name, wanted);
            changed();
            judge.moving = false;
        });
        waiting = true;
    };
    get('threshold').addEventListener('input', event => move(Number(event.target.value)));
    get('threshold-number').addEventListener('input', event => { if (event.target.value !== '') move(Number(event.target.value)); });
    get('threshold-back').addEventListener('click', () => move(null));
}

// ---- numbers ----

function quantileOf(sorted, part) {
    return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] : null;
}

const milliseconds = value => (value === null ? '–' : short(Number(value.toPrecision(3))) + ' ms');

function updateTiles(images) {
    const count = live.counts.find(one => one.model === live.model.name) || {images: 0, anomalous: 0, failed: 0};
    const times = images.map(image => image.ms).sort((a, b) => a - b), network = images.map(image => image.network_ms).sort((a, b) => a - b);
    const decided = word => images.filter(image => image.decision === word).length;
    const tiles = [['images', count.images], ['NG by the model', ownThreshold() === null ? '–' : count.anomalous], ['not scored', count.failed],
        ['latency, median', milliseconds(quantileOf(times, 0.5)), `95 %: ${milliseconds(quantileOf(times, 0.95))}; network ${milliseconds(quantileOf(network, 0.5))}`],
        ['decided: good / defect', `${decided('good')} / ${decided('defect')}`]];
    get('tiles').replaceChildren(...tiles.map(([name, value, title]) =>
        add(null, 'div', {class: 'tile', title}, add(null, 'b', {}, value), add(null, 'span', {}, name))));
}

// ---- charts ----

// Scores in the order in which they came; what lies beyond the range is drawn at its end.
function drawHistory(figure) {
    const images = imagesOfModel().slice(-HISTORY), threshold = thresholdNow(), range = scoreRange(setOf(imagesOfModel()));
    const within = value => Math.max(range[0], Math.min(range[1], value));
    const first = images.length ? images[0].sequence : 0, last = images.length ? images[images.length - 1].sequence : 1;
    const frame = openChart(figure, {title: 'Scores as they came', xLabel: 'number of the image', yLabel: 'score', height: PLOT_HEIGHT,
        x: [first, Math.max(last, first + 1)], y: range, legend: [['score', 1], ['NG: crosses', 2]]});
    drawLine(frame, 1, images.map(image => image.sequence), images.map(image => within(image.score)), isNumber);
    for (const image of images) {
        const x = frame.x(image.sequence), y = frame.y(within(image.score));
        if (isCalled(image)) draw(frame.svg, 'path', {class: 'cross s2', d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8`},
            draw(null, 'title', {}, `${image.source || image.sequence}: ${short(image.score)}`));
        if (image === live.selected) draw(frame.svg, 'circle', {class: 'point', cx: x, cy: y, r: 5});
    }
    if (!isNumber(threshold) || threshold < range[0] || threshold > range[1]) return;
    const y = frame.y(threshold);
    line(frame, 'marker', frame.left, y, frame.right, y);
    text(frame, 'note', frame.left + 4, y - 6 < frame.top + 10 ? y + 15 : y - 6, 'start', 'threshold');
}

function drawScores(figure) {
    const images = setOf(imagesOfModel()), held = validationSet(), range = scoreRange(images);
    const beyond = images.count > 0 && images.sorted[images.count - 1] > range[1];
    const sets = [['validation images', held, 1], ['images that came', images, 2]].filter(([, set]) => set.count > 0);
    drawHistogram(figure, {title: 'How the scores spread', xLabel: beyond ? 'score (last bar: and more)' : 'score',
        sets, range, shares: true, marker: [thresholdNow(), 'threshold'], height: PLOT_HEIGHT});
}

function makeCharts() {
    addChart(get('plots'), '', drawHistory);
    addChart(get('plots'), 'spread', drawScores);
    followWidth();
}
