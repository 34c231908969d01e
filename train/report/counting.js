// What a threshold means for scores: how many reach it, and what rate that says, with its interval.

// How many numbers of a SET reach a value; an estimate where the page holds only some of them.
function countReaching(set, value) {
    let low = 0, high = set.sorted.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (set.sorted[middle] < value) low = middle + 1;
        else high = middle;
    }
    const found = set.sorted.length - low;
    return set.count === set.sorted.length ? found : Math.round(found * set.count / set.sorted.length);
}

// The probability that at most `hits` of `count` happen at a rate in (0, 1).
function atMost(hits, count, rate) {
    let term = count * Math.log1p(-rate), sum = Math.exp(term);
    for (let i = 1; i <= hits; i++) {
        term += Math.log((count - i + 1) / i) + Math.log(rate) - Math.log1p(-rate);
        sum += Math.exp(term);
    }
    return sum;
}

// The rate at which at most `hits` have that probability, which falls with the rate.
function rateWhere(hits, count, probability) {
    let low = 0, high = 1;
    for (let step = 0; step < 60; step++) {
        const middle = (low + high) / 2;
        if (atMost(hits, count, middle) > probability) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

// Clopper and Pearson's interval of 95 % confidence.
function intervalOf(hits, count) {
    return [hits === 0 ? 0 : rateWhere(hits - 1, count, 0.975), hits === count ? 1 : rateWhere(hits, count, 0.025)];
}

const rates = bounds => bounds.map(bound => String(Number((100 * bound).toPrecision(3)))).join(' to ') + ' %';
