// The images: cards that the threshold judges, and the view of one image, addressed by #image-NUMBER, which counts from 1.

const IMAGES = data.kind === 'unlabelled' ? 'Images' : data.of_validation ? 'Validation images' : 'Test images';
const SECTIONS = labelled ? ['Missed defects', 'False alarms', 'All others, highest score first']
    : ['NG, highest score first', 'OK, highest score first', 'Highest score first'];
const LOWEST_FIRST = labelled ? 0 : -1; // the section

const addressOf = index => '#image-' + (index + 1);
const baseName = image => image.path.split('/').pop();
const isCalled = image => isNumber(threshold) && image.score >= threshold;
const isBad = image => (labelled ? image.anomalous : isCalled(image)); // as the card is coloured
const verdictOf = image => (!isNumber(threshold) ? '' : isCalled(image) ? 'NG' : 'OK');
const labelOf = image => (labelled ? image.defect : verdictOf(image));

function sectionOf(image) {
    if (!isNumber(threshold)) return 2;
    if (!labelled) return isCalled(image) ? 0 : 1;
    return isCalled(image) === Boolean(image.anomalous) ? 2 : image.anomalous ? 0 : 1;
}

const describe = (what, image) => [`${what} of ${baseName(image)}`, labelOf(image), `score ${scoreText(image.score)}`]
    .filter(Boolean).join(', ');

// The pictures of an image: [[title, source]].
function picturesOf(image) {
    if (!image.image) return [];
    return [['image', image.image], ['heat map', image.map], ...(image.parts || []).map(part => [part.name, part.picture])];
}

// "0 [colours] 0.5"
function addRamp(parent) {
    const {low, high, ramp} = data.gallery, ends = [low, high].map(end => String(Number(end.toPrecision(3))));
    parent.append(ends[0], add(null, 'span', {class: 'ramp', style: `background:linear-gradient(90deg,${ramp.join()})`}), ends[1]);
}

// ---- cards ----

// A card with parts that follow the threshold: {image, index, figure, link, tag, pictures}.
function makeCard(image, index, share) {
    const figure = add(null, 'figure', {class: 'shot'}), name = baseName(image), href = addressOf(index), pictures = [];
    const card = {image, index, figure, pictures};
    if (image.image) {
        const pair = add(figure, 'a', {class: 'pair', href, tabindex: -1}); // by keyboard there is the name
        for (const [what, src] of picturesOf(image).slice(0, 2))
            pictures.push([what, add(pair, 'img', {src, width: image.width, height: image.height, decoding: 'async'})]);
    }
    const bar = add(figure, 'i', {class: 'score'});
    add(bar, 'u', {style: `width:${share(image.score)}%`});
    add(bar, 's');
    card.tag = add(null, 'span', {class: 'tag'});
    card.link = add(null, 'a', {class: 'name', href, title: image.path}, name);
    add(figure, 'figcaption', {}, add(null, 'b', {}, scoreText(image.score)), card.tag, card.link);
    return card;
}

// What the threshold says of a card.
function judgeCard(card) {
    const {image, figure} = card, bad = isBad(image);
    card.section = sectionOf(image);
    card.wrong = labelled && card.section < 2;
    figure.className = `shot s${bad ? 2 : 1}` + (card.wrong ? ' wrong' : '');
    card.tag.textContent = labelOf(image);
    for (const [what, picture] of card.pictures) picture.setAttribute('alt', describe(what, image));
}

const CHOICES = labelled
    ? [['all', 'all', () => true], ['wrong', 'mistakes', card => card.wrong],
        ['bad', 'anomalous', card => card.image.anomalous], ['good', 'good', card => !card.image.anomalous]]
    : [['all', 'all', () => true], ['bad', 'NG', card => isCalled(card.image)], ['good', 'OK', card => !isCalled(card.image)]];

const gallery = {cards: [], shown: [], choice: CHOICES[0]};

// The cards in their sections, those of the choice; low rows for images without pictures.
function arrangeCards(box) {
    const {cards} = gallery, bare = cards.filter(card => !card.image.image).length;
    gallery.shown = [];
    box.replaceChildren();
    SECTIONS.forEach((title, section) => {
        const sign = section === LOWEST_FIRST ? 1 : -1, members = cards.filter(card => card.section === section);
        const shown = members.filter(gallery.choice[2]).sort((a, b) => sign * (a.image.score - b.image.score) || a.index - b.index);
        if (shown.length === 0) return;
        const only = section === 2 && members.length === cards.length; // there are no mistakes
        add(box, 'h3', {}, (only ? 'Highest score first' : title) + ' ', add(null, 'small', {}, shown.length));
        for (const pictured of [true, false]) {
            const part = shown.filter(card => Boolean(card.image.image) === pictured);
            if (part.length === 0) continue;
            add(box, 'div', {class: pictured ? 'shots' : 'shots bare'}, ...part.map(card => card.figure));
            gallery.shown.push(...part);
        }
    });
    if (bare > 0)
        add(box, 'p', {class: 'soft after'}, `${bare} images are without pictures: the page keeps to ${data.gallery.budget / 1e6} MB.`);
}

function addChoices(parent, changed) {
    const group = add(parent, 'div', {class: 'choices', role: 'radiogroup', 'aria-label': 'Which images'}), counts = [];
    for (const choice of CHOICES) {
        const [id, label] = choice;
        const input = add(group, 'input', {type: 'radio', name: 'show', id: 'show-' + id, checked: id === 'all' ? '' : null});
        const count = add(null, 'b');
        add(group, 'label', {for: 'show-' + id}, label + ' ', count);
        input.addEventListener('change', () => { gallery.choice = choice; changed(); });
        counts.push(() => { count.textContent = gallery.cards.filter(choice[2]).length; });
    }
    return () => counts.forEach(update => update());
}

function drawGallery(parent) {
    if (!data.gallery) return;
    const {images, outlined, dropped} = data.gallery, scores = images.map(image => image.score).sort((a, b) => a - b);
    const lowest = scores[0], highest = scores[scores.length - 1];
    const share = score => round(highest > lowest ? 100 * (score - lowest) / (highest - lowest) : 50);
    add(parent, 'h2', {id: 'images'}, IMAGES);
    const intro = add(parent, 'p', {class: 'soft'}, `Image${outlined ? ' (true defect outlined)' : ''} and anomaly map, coloured from `);
    addRamp(intro);
    intro.append('. The bold number is the image score; the bar shows it between the lowest and the highest, the tick is the ' +
        'threshold. A click on an image, or Enter on its name, shows it large; there the arrow keys lead to its neighbours.' +
        (dropped ? ` ${dropped} more images, ${labelled ? 'those last in order' : 'with lower scores than these'}, are left out.` : ''));
    gallery.cards = images.map((image, index) => makeCard(image, index, share));
    const box = add(null, 'div', {class: 'gallery'});
    const count = addChoices(parent, () => arrangeCards(box));
    let order = '';
    const judge = () => {
        const at = isNumber(threshold) ? share(threshold) : -1;
        box.style.setProperty('--at', at < 0 || at > 100 ? '-100%' : at + '%');
        const next = gallery.cards.map(card => sectionOf(card.image)).join('');
        if (next === order) return;
        order = next;
        gallery.cards.forEach(judgeCard);
        count();
        arrangeCards(box);
    };
    parent.append(box);
    watchers.push(judge);
    judge();
    watchAddress();
}

// ---- the view of one image ----

const view = {dialog: null, card: null};

function addButton(parent, label, title, action) {
    const button = add(parent, 'button', {type: 'button', title}, label);
    button.addEventListener('click', action);
    return button;
}

// The original as large as it is, in a box that scrolls; or why not.
function addOriginal(parent, image) {
    if (!image.href) {
        add(parent, 'p', {class: 'soft'}, `Original: ${image.path}, which was not there when this page was written.`);
        return;
    }
    const figure = add(parent, 'figure', {class: 'original'}), caption = add(figure, 'figcaption', {});
    const link = add(caption, 'a', {href: image.href, target: '_blank'}, 'Original');
    const size = add(caption, 'span', {}, '');
    const scroll = add(figure, 'div', {class: 'scroll', tabindex: 0});
    const picture = add(scroll, 'img', {alt: describe('original', image)});
    picture.addEventListener('load', () => { size.textContent = `, ${picture.naturalWidth} × ${picture.naturalHeight} pixels`; });
    picture.addEventListener('error', () => {
        scroll.remove();
        size.textContent = `: ${image.path} is no longer there, or of a format that this browser does not show.`;
    });
    link.title = image.path;
    picture.src = image.href;
}

function describeVerdict(image) {
    const text = isNumber(threshold) ? textBetween(image.score, threshold) : scoreText, parts = [`score ${text(image.score)}`];
    if (isNumber(threshold)) parts[0] += ` ${isCalled(image) ? '≥' : '<'} ${text(threshold)}: ${verdictOf(image)}`;
    if (labelled) parts.push((image.anomalous ? 'anomalous' : 'good') + [', missed', ', a false alarm', ''][sectionOf(image)]);
    if (isNumber(image.milliseconds)) parts.push(`${short(image.milliseconds)} ms`);
    return parts.join(' · ');
}

function showCard(card) {
    const {image} = card, {dialog} = view, place = gallery.shown.indexOf(card);
    view.card = card;
    const body = view.body;
    body.replaceChildren();
    view.title.textContent = baseName(image);
    view.tag.textContent = labelOf(image);
    view.tag.className = `tag s${isBad(image) ? 2 : 1}`;
    view.place.textContent = place < 0 ? '' : `${place + 1} of ${gallery.shown.length}`;
    view.verdict.textContent = describeVerdict(image);
    const views = add(body, 'div', {class: 'views'});
    for (const [title, src] of picturesOf(image))
        add(views, 'figure', {}, add(null, 'img', {src, alt: describe(title, image)}), add(null, 'figcaption', {},
            title === 'image' && data.gallery.outlined && image.anomalous ? 'image, true defect outlined' : title));
    if (image.image) addRamp(add(body, 'p', {class: 'soft'}, 'Colours: '));
    addOriginal(body, image);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
}

// To the neighbour in the order shown, or to the first where the threshold has taken it out of that.
function step(by) {
    const {shown} = gallery, next = shown[shown.indexOf(view.card) + by];
    if (!next) return;
    history.replaceState(null, '', addressOf(next.index));
    showCard(next);
}

function closeView() {
    const {card, dialog} = view;
    if (dialog.open) dialog.close();
    if (!card) return;
    view.card = null;
    history.replaceState(null, '', '#images');
    card.figure.scrollIntoView({block: 'nearest'});
    card.link.focus({preventScroll: true});
}

function makeView() {
    const dialog = view.dialog = add(document.body, 'dialog', {id: 'view', 'aria-labelledby': 'view-title'});
    const head = add(dialog, 'div', {class: 'head'});
    view.title = add(head, 'h2', {id: 'view-title'});
    view.tag = add(head, 'span', {class: 'tag'});
    view.place = add(head, 'span', {class: 'soft'});
    const buttons = add(head, 'div', {class: 'buttons'});
    addButton(buttons, '← previous', 'left arrow', () => step(-1));
    addButton(buttons, 'next →', 'right arrow', () => step(1));
    addButton(buttons, 'close', 'Escape', closeView);
    view.verdict = add(dialog, 'p', {class: 'verdict', role: 'status'});
    view.body = add(dialog, 'div');
    dialog.addEventListener('cancel', event => { event.preventDefault(); closeView(); });
    dialog.addEventListener('keydown', event => {
        const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
        if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        step(by);
    });
}

function followAddress() {
    const found = /^#image-(\d+)$/.exec(location.hash), card = found && gallery.cards[Number(found[1]) - 1];
    if (card) showCard(card);
    else if (view.card) closeView();
}

function watchAddress() {
    makeView();
    window.addEventListener('hashchange', followAddress);
    followAddress();
}
