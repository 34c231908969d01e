// The image that is looked at, below its heat map; and the list to choose from.

const view = {shown: null, asking: null, urls: [], rows: new Map(), choice: 'all', search: ''};
const nameOf = image => image.source || 'image ' + image.sequence;
const timeOf = image => new Date(image.time).toLocaleTimeString([], {hour12: false});

// ---- the image ----

function setPictures(blobs, image) {
    for (const url of view.urls) URL.revokeObjectURL(url);
    view.urls = blobs.map(blob => URL.createObjectURL(blob));
    ['photo', 'heat'].forEach((id, i) => {
        get(id).hidden = !view.urls[i];
        if (!view.urls[i]) return;
        get(id).src = view.urls[i];
        get(id).alt = `${i ? 'heat map of ' : ''}${nameOf(image)}, ${verdictOf(image)}, score ${short(image.score)}`;
    });
    get('nothing').hidden = blobs.length > 0;
    get('nothing').textContent = image ? 'No picture of this image is kept.' : 'No image has come yet.';
}

// Both layers at once, so that no heat lies over another image.
async function loadPictures(image) {
    if (view.asking) view.asking.abort();
    view.asking = null;
    view.shown = image;
    if (!image || !hasPicture(image)) {
        setPictures([], image);
        return;
    }
    const asking = view.asking = new AbortController(), options = {signal: asking.signal};
    const paths = ['image', 'heat'].map(kind => `page/${kind}/${image.sequence}`);
    try {
        const blobs = await Promise.all(paths.map(async path => (await ask(path, options)).blob()));
        if (view.asking === asking) setPictures(blobs, image);
    } catch (error) {
        if (view.asking === asking) view.shown = null; // asked again with the next news
        if (error instanceof Refused) throw error;
    }
}

function tellTrouble(text) {
    get('trouble').textContent = text;
    get('trouble').hidden = !text;
}

function updateView() {
    const image = live.selected, decided = image ? image.decision : 'none';
    const called = image && isCalled(image);
    get('verdict').textContent = image ? verdictOf(image) : '';
    get('verdict').className = `tag s${called ? 2 : 1}${called ? ' bad' : ''}`;
    get('score').textContent = image ? short(image.score) : '';
    get('source').textContent = image ? `${nameOf(image)} · ${timeOf(image)} · ${image.width} × ${image.height}` : '';
    get('live').setAttribute('aria-pressed', String(live.following));
    for (const word of ['good', 'defect']) {
        get(word).setAttribute('aria-pressed', String(decided === word));
        get(word).disabled = !image || !live.about.may_decide;
    }
    get('judging').title = live.about.may_decide ? `Decisions go to ${live.about.decisions}.`
        : 'Decisions need a token where others reach the server (--token-file).';
    if (view.shown !== image) loadPictures(image).catch(showGate);
}

async function decide(decision) {
    const image = live.selected;
    if (!image || !live.about.may_decide) return;
    try {
        await sendDecision(image, image.decision === decision ? 'none' : decision);
        tellTrouble('');
    } catch (error) {
        if (error instanceof Refused) return showGate(error);
        tellTrouble(`Not decided: ${error.message}`);
    }
    update();
}

// ---- the list ----

const CHOICES = [['all', () => true], ['NG', isCalled], ['OK', image => !isCalled(image)], ['undecided', image => image.decision === 'none'],
    ['good', image => image.decision === 'good'], ['defect', image => image.decision === 'defect']];

const isListed = image => CHOICES.find(([name]) => name === view.choice)[1](image) &&
    nameOf(image).toLowerCase().includes(view.search);

function makeRow(image) {
    const row = add(null, 'li', {role: 'option', id: 'image-' + image.sequence, title: nameOf(image)});
    const parts = {tag: add(row, 'span', {class: 'tag'}), score: add(row, 'b', {}, short(image.score)),
        name: add(row, 'span', {class: 'name'}, nameOf(image)), decision: add(row, 'span', {class: 'decision'})};
    add(row, 'time', {}, timeOf(image));
    row.addEventListener('click', () => { choose(image); });
    return {row, ...parts};
}

// Rows keep their places; only what changed is touched. The newest comes first.
function updateList(images) {
    const list = get('list'), keep = new Set(images);
    for (const [image, {row}] of view.rows)
        if (!keep.has(image)) { row.remove(); view.rows.delete(image); }
    for (const image of images) {
        if (!view.rows.has(image)) {
            view.rows.set(image, makeRow(image));
            list.prepend(view.rows.get(image).row);
        }
        const {row, tag, decision} = view.rows.get(image), called = isCalled(image), selected = image === live.selected;
        row.hidden = !isListed(image);
        row.className = (called ? 'bad s2' : 's1') + (selected ? ' selected' : '');
        row.setAttribute('aria-selected', String(selected));
        tag.textContent = verdictOf(image);
        decision.textContent = {good: '✓ good', defect: '✗ defect', none: ''}[image.decision];
    }
    list.setAttribute('aria-activedescendant', live.selected ? 'image-' + live.selected.sequence : '');
    for (const [name, fits] of CHOICES) get('count-' + name).textContent = images.filter(fits).length;
}

function makeChoices() {
    for (const [name] of CHOICES) {
        const input = add(get('choices'), 'input', {type: 'radio', name: 'show', id: 'show-' + name, checked: name === 'all' ? '' : null});
        add(get('choices'), 'label', {for: 'show-' + name}, name + ' ', add(null, 'b', {id: 'count-' + name}, '0'));
        input.addEventListener('change', () => { view.choice = name; update(); });
    }
    get('search').addEventListener('input', event => { view.search = event.target.value.toLowerCase(); update(); });
}

// ---- moving ----

// Scrolls the list and nothing else.
function keepInSight(row) {
    const list = get('list'), top = row.offsetTop, bottom = top + row.offsetHeight;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}

function choose(image) {
    live.selected = image;
    live.following = false;
    tellTrouble('');
    update();
    keepInSight(view.rows.get(image).row);
}

// by: images of the list towards the older ones; Infinity: to its end.
function step(by) {
    const listed = imagesOfModel().filter(isListed).reverse(), at = listed.indexOf(live.selected);
    if (listed.length === 0) return;
    choose(listed[Math.max(0, Math.min(listed.length - 1, at < 0 ? 0 : at + by))]);
}
