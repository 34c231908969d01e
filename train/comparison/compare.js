// Runs side by side (comparison.c): tables of what differs, and the common images with the maps of all.

function drawLegendOf(run) {
    const low = isNumber(run.low) ? short(run.low) : '', high = isNumber(run.high) ? short(run.high) : '';
    const cell = add(null, 'span', {}, low);
    add(cell, 'i', {class: 'ramp', style: `background:linear-gradient(90deg,${run.ramp.join(',')})`});
    cell.append(high);
    return cell;
}

function drawDifferences() {
    const names = data.runs.map(run => run.name);
    const rows = [['', ...names], ['model', ...data.runs.map(run => run.subtitle || '–')],
        ['threshold', ...data.runs.map(run => (isNumber(run.threshold) ? short(run.threshold) : 'none'))],
        ['colours of its maps', ...data.runs.map(drawLegendOf)],
        ...data.metrics.map(([title, ...values]) => [title + ', %', ...values.map(percent)])];
    addTable(page, rows, {headed: true, kind: 'compared'});
    if (data.settings.length === 0) return;
    add(page, 'h2', {}, 'Settings that differ');
    const plain = value => value.replace(/^"(.*)"$/, '$1') || '–';
    addTable(page, [['key', ...names], ...data.settings.map(([key, ...values]) => [key, ...values.map(plain)])], {headed: true, kind: 'compared'});
}

function drawLone() {
    data.lone.forEach(({count, names}, r) => {
        if (count === 0) return;
        add(page, 'p', {class: 'soft'}, `${count} ${count === 1 ? 'image' : 'images'} of ${data.runs[r].name} ` +
            `that not all runs have: ${names.join(', ')}${count > names.length ? ` and ${count - names.length} more` : ''}.`);
    });
}

function verdict(run) {
    return run.decision === undefined ? '' : run.decision ? 'NG' : 'OK';
}

function drawComparedImage(parent, image) {
    const label = image.anomalous ? image.defect : 'good';
    const row = add(parent, 'figure', {class: 'shot compared ' + (image.disagreed ? 'differs wrong' : 'same')});
    const maps = add(row, 'div', {class: 'maps'});
    const shown = (src, alt, text, said) => {
        const part = add(maps, 'div');
        if (src) add(part, 'a', {href: src, target: '_blank'}, add(null, 'img', {src, alt, loading: 'lazy'}));
        const line = add(part, 'span', {class: 'soft'}, text);
        if (said) line.prepend(add(null, 'b', {}, said), ', ');
    };
    shown(image.image, `${image.name}, ${label}`, label);
    image.runs.forEach((run, r) => {
        const {name} = data.runs[r], said = verdict(run);
        shown(run.map, `${name}: map of ${image.name}, score ${short(run.score)}${said && ', ' + said}`,
            `score ${short(run.score)}, rank ${Math.round(100 * run.rank)} %: ${name}`, said);
    });
    add(row, 'figcaption', {}, add(null, 'span', {class: 'name'}, image.name));
}

function addComparedChoices() {
    const choices = add(page, 'div', {class: 'choices', role: 'radiogroup', 'aria-label': 'Which images'});
    [['all', 'all'], ['differs', 'different decisions']].forEach(([kind, title], i) => {
        add(choices, 'input', {type: 'radio', name: 'compared', id: 'compared-' + kind, checked: i === 0 ? '' : null});
        add(choices, 'label', {for: 'compared-' + kind}, title);
    });
}

// Runs without a threshold decide nothing.
function describeDecisions(deciding) {
    const order = 'the largest differences of rank: the share of these images that score lower in the same run, since the scores of ' +
        'methods differ in scale.';
    if (deciding < 2) return `. First come ${order}`;
    const whose = deciding < data.runs.length ? `the decisions of the ${deciding} runs with a threshold` : 'their decisions';
    return `; on ${data.disagreed} ${whose} differ, each at its own threshold. Those come first, then ${order}`;
}

function drawComparedImages() {
    const count = data.images.length + data.dropped, bare = data.images.filter(image => !image.image).length;
    const deciding = data.runs.filter(run => isNumber(run.threshold)).length;
    add(page, 'h2', {}, 'Images');
    add(page, 'p', {class: 'soft'}, `${count} ${count === 1 ? 'image is' : 'images are'} in all runs` + describeDecisions(deciding) +
        (bare > 0 ? ` Of ${bare} there is no picture: the page or a report has no more room.` : '') +
        (data.dropped > 0 ? ` ${data.dropped} more are not in the page.` : ''));
    if (deciding > 1) addComparedChoices();
    const shots = add(page, 'div', {class: 'comparisons'});
    for (const image of data.images) drawComparedImage(shots, image);
}

function drawComparison() {
    drawDifferences();
    drawLone();
    drawComparedImages();
}
