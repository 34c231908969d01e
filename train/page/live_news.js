// What the server tells: models, images, and what people decided. Requests carry the token, which stays in this tab.

const TOKEN = 'efficientad-token', EVERY = 1000, EVERY_HIDDEN = 10000; // milliseconds between two questions
const get = id => document.getElementById(id);
const guarded = Boolean(document.querySelector('meta[name=guard]'));

const live = {
    start: 0, stamp: 0, about: null, // of the server
    model: null, // the one that is shown, of about.models
    images: [], byNumber: new Map(), counts: [], pictures: 0, // of all models, the oldest first
    selected: null, following: true,
};

class Refused extends Error {}

async function ask(path, options = {}) {
    const token = sessionStorage.getItem(TOKEN), headers = {...options.headers};
    if (token) headers.Authorization = 'Bearer ' + token;
    const reply = await fetch(path, {...options, headers, cache: 'no-store'}).catch(error => {
        throw error.name === 'AbortError' ? error : new Error('the server does not answer');
    });
    if (reply.status === 401) {
        sessionStorage.removeItem(TOKEN);
        throw new Refused('That is not the token of this server.');
    }
    if (!reply.ok) {
        const body = await reply.json().catch(() => ({}));
        throw new Error(body.error || `the server answers ${reply.status}`);
    }
    return reply;
}

const askJson = async path => (await ask(path)).json();

// ---- models ----

async function takeAbout() {
    live.about = await askJson('page/about');
    const before = live.model && live.model.name, found = live.about.models.find(model => model.name === before);
    live.model = found || live.about.models[0];
}

// Whether images come from a model's file that this page does not know.
function isModelNew(images) {
    const newest = new Map(images.map(image => [image.model, image.sha256]));
    return live.about.models.some(model => newest.has(model.name) && !model.sha256.startsWith(newest.get(model.name)));
}

// ---- images ----

function forgetImages() {
    live.images = [];
    live.byNumber.clear();
    live.stamp = 0;
    live.selected = null;
    live.following = true;
}

// Adds what is new, and notes what was decided elsewhere. Gives the images that changed.
function takeImages(news) {
    for (const image of news.images) {
        const known = live.byNumber.get(image.sequence);
        if (known) {
            known.decision = image.decision;
            continue;
        }
        live.byNumber.set(image.sequence, image);
        live.images.push(image);
    }
    while (live.images.length > live.about.kept) live.byNumber.delete(live.images.shift().sequence);
    live.stamp = news.stamp;
    live.counts = news.counts;
    live.pictures = news.pictures;
    return news.images;
}

// Whether anything has changed.
async function takeNews() {
    const asked = live.stamp, news = await askJson('page/news?after=' + asked);
    if (!live.about || news.start !== live.start) { // another server than before
        forgetImages();
        await takeAbout();
        live.start = news.start;
        takeImages(asked === 0 ? news : await askJson('page/news?after=0'));
        return true;
    }
    const changed = takeImages(news);
    if (isModelNew(changed)) await takeAbout();
    return changed.length > 0;
}

const imagesOfModel = () => live.images.filter(image => image.model === live.model.name);
const hasPicture = image => image.picture && image.sequence >= live.pictures;

// ---- decisions ----

// Throws what kept it from being written.
async function sendDecision(image, decision) {
    await ask('page/decisions', {method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({sequence: image.sequence, decision})});
    image.decision = decision;
}
