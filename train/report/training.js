// The page of a training that goes on (training_page.c), until its report replaces it.

const CLOCK = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});

function timeText(seconds) {
    if (seconds < 90) return Math.round(seconds) + ' s';
    if (seconds < 5400) return Math.round(seconds / 60) + ' minutes';
    return (seconds / 3600).toFixed(1) + ' hours';
}

// A killed process leaves its last page, which would be loaded for ever.
function isOld() {
    return Date.now() / 1000 - data.written > Math.max(600, 20 * data.refresh);
}

function drawState() {
    const when = CLOCK.format(new Date(1000 * data.written));
    if (!data.doing) {
        add(page, 'p', {class: 'stopped', role: 'status'}, data.ended);
        add(page, 'p', {class: 'soft'}, `This page was written at ${when} and stays as it is.`);
        return;
    }
    const left = isNumber(data.seconds_left) ? `, about ${timeText(data.seconds_left)} left` : '';
    add(page, 'progress', {max: data.steps, value: data.step, 'aria-label': 'steps'});
    add(page, 'p', {role: 'status'}, `${data.doing}: step ${data.step} of ${data.steps}${left}`);
    if (isOld())
        add(page, 'p', {class: 'stopped'}, `No news since ${when}: the process was probably ended; --resume goes on from its last checkpoint.`);
    else
        add(page, 'p', {class: 'soft'}, `As of ${when}. The page loads itself again every ${data.refresh} s; the report takes its place when the training has ended.`);
}

function drawTrainingTiles() {
    const last = set => set && set.series.map(({name, values}) => [name, values[values.length - 1]]);
    const scores = last(data.validation_scores) || [], tests = last(data.tests) || [], losses = last(data.losses) || [];
    const tiles = add(page, 'div', {class: 'tiles'});
    const tile = (value, label) => add(tiles, 'div', {class: 'tile'}, add(null, 'b', {}, value), add(null, 'span', {}, label));
    if (losses.length > 0) tile(short(losses[losses.length - 1][1]), 'loss, mean of the last steps');
    for (const [name, value] of scores) if (name === 'median') tile(short(value), 'median score of validation images');
    for (const [name, value] of tests)
        if (isNumber(value)) tile(percent(value) + ' %', name === 'image_auroc' ? 'AU-ROC of the test images' : 'AU-PRO 0.30 of the test images');
}

function drawRows(plots, set, title, yLabel, names) {
    if (!set || set.steps.length < 2) return;
    const values = set.series.flatMap(one => one.values).filter(isNumber).sort((a, b) => a - b);
    if (values.length === 0) return;
    addChart(plots, '', figure => {
        const frame = openChart(figure, {title, xLabel: 'step', yLabel, x: [0, set.last_step], y: rangeOf([values]),
            legend: set.series.map((one, i) => [names[i] || one.name, 1 + i])});
        set.series.forEach((one, i) => drawLine(frame, 1 + i, set.steps, one.values, isNumber));
    });
}

function drawTraining() {
    drawState();
    drawTrainingTiles();
    const plots = add(page, 'div', {class: 'plots'});
    drawLosses(plots);
    drawRows(plots, data.validation_scores, 'Scores of validation images', 'score',
        ['lowest', 'lower quartile', 'median', 'upper quartile', 'highest']);
    drawRows(plots, data.tests, 'Metrics of the test images', '', ['AU-ROC', 'AU-PRO 0.30']);
    drawSettings();
    if (data.doing && !isOld()) setTimeout(() => location.reload(), 1000 * data.refresh);
}
