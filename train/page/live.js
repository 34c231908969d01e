// The page: what is shown, from when on, and the keyboard. Comes last.

// The newest that there is something of to see.
const newestOf = images => [...images].reverse().find(hasPicture) || images[images.length - 1] || null;

function update() {
    const images = imagesOfModel();
    if (live.following || !live.byNumber.has(live.selected && live.selected.sequence)) live.selected = newestOf(images);
    showState();
    updateView();
    updateSlider(images);
    updateTiles(images);
    updateList(images);
    if (judge.charted) redraw();
    else makeCharts();
    judge.charted = true;
}

function updateModels() {
    const {models} = live.about, select = get('model');
    get('title').textContent = live.model.name;
    get('description').textContent = live.model.description;
    document.title = live.model.name + ' – EfficientAD';
    select.hidden = models.length < 2;
    select.replaceChildren(...models.map(({name}) => add(null, 'option', {}, name)));
    select.value = live.model.name;
}

function showState() {
    const state = get('state'), text = live.trouble || (live.following ? 'live' : 'stopped at an image');
    if (state.textContent !== text) state.textContent = text;
    state.className = live.trouble ? 'stopped' : '';
}

// ---- the token ----

// error: why the page does not go on.
function showGate(error) {
    live.gated = true;
    get('gate').hidden = false;
    get('line').hidden = true;
    if (error) get('gate-text').textContent = error.message;
    get('token').focus();
}

function watchGate() {
    get('gate').addEventListener('submit', event => {
        event.preventDefault();
        sessionStorage.setItem(TOKEN, get('token').value);
        get('token').value = '';
        live.gated = false;
        follow();
    });
}

// ---- following ----

let wake = () => {};
document.addEventListener('visibilitychange', () => wake());
const pause = () => new Promise(done => {
    wake = done;
    setTimeout(done, document.hidden ? EVERY_HIDDEN : EVERY);
});

// Asks for the news for ever; the loop before ends, if there is one.
async function follow() {
    const turn = live.turn = (live.turn || 0) + 1;
    for (let since = null, shown = null; turn === live.turn && !live.gated; await pause()) {
        try {
            const changed = await takeNews();
            get('gate').hidden = true;
            get('line').hidden = false;
            since = live.trouble = null;
            showState();
            if (live.about !== shown) updateModels();
            if (changed || live.about !== shown || view.shown !== live.selected) update();
            shown = live.about;
        } catch (error) {
            if (error instanceof Refused || (guarded && !live.about)) return showGate(error);
            since = since || new Date();
            live.trouble = `no news since ${since.toLocaleTimeString([], {hour12: false})}: ${error.message}`;
            showState();
        }
    }
}

// ---- keyboard ----

const KEYS = {
    ArrowUp: () => step(-1), ArrowDown: () => step(1),
    o: () => decide('good'), x: () => decide('defect'), u: () => takeBack(), l: () => followLive(),
    h: () => setOpacity(Number(get('opacity').value) > 0 ? 0 : 100), '/': () => get('search').focus(),
};
const LIST_KEYS = {Home: () => step(-Infinity), End: () => step(Infinity), PageUp: () => step(-10), PageDown: () => step(10)};

function takeBack() {
    if (live.selected && live.selected.decision !== 'none') decide(live.selected.decision);
}

function followLive() {
    live.following = true;
    tellTrouble('');
    update();
}

function setOpacity(value) {
    get('opacity').value = value;
    get('heat').style.opacity = value / 100;
}

// Keys that a field needs itself are left to it; a key that is held decides once.
function watchKeys() {
    document.addEventListener('keydown', event => {
        const {target, key} = event, act = KEYS[key] || (target.id === 'list' && LIST_KEYS[key]);
        const written = target.matches('input:not([type=range], [type=radio]), select'), moved = target.matches('input, select');
        if (event.ctrlKey || event.metaKey || event.altKey || !act || !live.about || live.gated) return;
        if (written || (moved && key.length > 1) || (event.repeat && key.length === 1)) return;
        event.preventDefault();
        act();
    });
}

function watchButtons() {
    const acts = {newer: () => step(-1), older: () => step(1), live: followLive, good: () => decide('good'), defect: () => decide('defect')};
    for (const [id, act] of Object.entries(acts)) get(id).addEventListener('click', act);
    get('opacity').addEventListener('input', event => setOpacity(Number(event.target.value)));
    get('model').addEventListener('change', event => {
        live.model = live.about.models.find(model => model.name === event.target.value);
        updateModels();
        followLive();
    });
}

makeChoices();
watchSlider(update);
watchGate();
watchButtons();
watchKeys();
if (guarded && !sessionStorage.getItem(TOKEN)) showGate();
else follow();
