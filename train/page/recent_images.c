/* A ring of lines; pictures go from its old end. */
#include "train/page/recent_images.h"

#include "core/base/memory.h"
#include "core/system/clock.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct RecentImage {
    EadDecisionRecord record;
    int64_t stamp;
    float seconds, network;
    int width, height;
    EadLivePicture picture;
} RecentImage;

typedef struct RecentCount {
    const char *model;
    int64_t images, anomalous, failed;
} RecentCount;

struct EadRecentImages {
    RecentImage *images;     /* [EAD_RECENT_IMAGES], the next at added % EAD_RECENT_IMAGES */
    int64_t added, pictured; /* so many; the first of which the picture is still there */
    int64_t stamp, sequence; /* the last ones */
    int64_t bytes, memory;   /* of pictures */
    double last_picture[2];  /* when one was made, ead_clock_seconds(): below the threshold, and of others */
    double looked;           /* when the news were asked for */
    RecentCount *counts;     /* [count] */
    int count, capacity;
    pthread_mutex_t mutex;
};

EadStatus ead_recent_images_new(int64_t memory, EadRecentImages **out) {
    EadRecentImages *recent = ead_new(1, sizeof *recent, "recent images");
    RecentImage *images = recent ? ead_new(EAD_RECENT_IMAGES, sizeof *images, "recent images") : NULL;
    *out = images ? recent : NULL;
    if (!images) {
        free(recent);
        return EAD_NO_MEMORY;
    }
    *recent = (EadRecentImages){.images = images,
                                .memory = memory,
                                .last_picture = {-INFINITY, -INFINITY},
                                .looked = -INFINITY,
                                .mutex = PTHREAD_MUTEX_INITIALIZER};
    return EAD_OK;
}

void ead_recent_images_free(EadRecentImages *recent) {
    if (!recent) return;
    for (int i = 0; i < EAD_RECENT_IMAGES; i++) ead_live_picture_free(&recent->images[i].picture);
    free(recent->images);
    free(recent->counts);
    pthread_mutex_destroy(&recent->mutex);
    free(recent);
}

/* ---- under the mutex ---- */

static RecentImage *image_at(EadRecentImages *recent, int64_t index) {
    return &recent->images[index % EAD_RECENT_IMAGES];
}

static int64_t first_index(const EadRecentImages *recent) {
    return recent->added > EAD_RECENT_IMAGES ? recent->added - EAD_RECENT_IMAGES : 0;
}

/* Numbers rise, but not always by 1. */
static RecentImage *find(EadRecentImages *recent, int64_t sequence) {
    int64_t low = first_index(recent), high = recent->added;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (image_at(recent, middle)->record.sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < recent->added && image_at(recent, low)->record.sequence == sequence;
    return found ? image_at(recent, low) : NULL;
}

/* NULL without memory. */
static RecentCount *count_of(EadRecentImages *recent, const char *model) {
    for (int i = 0; i < recent->count; i++)
        if (strcmp(recent->counts[i].model, model) == 0) return &recent->counts[i];
    if (ead_grow(&recent->counts, &recent->capacity, recent->count, sizeof *recent->counts, "counts") !=
        EAD_OK)
        return NULL;
    recent->counts[recent->count] = (RecentCount){.model = model};
    return &recent->counts[recent->count++];
}

static void drop_picture(EadRecentImages *recent, RecentImage *image) {
    recent->bytes -= (int64_t)ead_live_picture_bytes(&image->picture);
    ead_live_picture_free(&image->picture);
}

static void insert(EadRecentImages *recent, const RecentImage *image) {
    RecentImage *place = image_at(recent, recent->added);
    drop_picture(recent, place);
    *place = *image;
    recent->bytes += (int64_t)ead_live_picture_bytes(&place->picture);
    recent->added++;
    if (recent->pictured < first_index(recent)) recent->pictured = first_index(recent);
    while (recent->bytes > recent->memory && recent->pictured < recent->added - 1)
        drop_picture(recent, image_at(recent, recent->pictured++));
}

/* ---- adding ---- */

/* The end of a name, from the beginning of a character of UTF-8 on. */
static void copy_end(char out[EAD_RECENT_NAME], const char *text) {
    size_t length = strlen(text);
    bool cut = length >= EAD_RECENT_NAME;
    if (cut) text += length - (EAD_RECENT_NAME - 1);
    while (cut && ((unsigned char)*text & 0xC0) == 0x80) text++;
    memcpy(out, text, strlen(text) + 1);
}

/* Whether a picture of it is to be made. */
static bool takes_turn(EadRecentImages *recent, bool anomalous) {
    double now = ead_clock_seconds();
    pthread_mutex_lock(&recent->mutex);
    bool wanted = anomalous || now - recent->looked < EAD_RECENT_LOOK;
    double wait = 1.0 / (wanted ? EAD_RECENT_PICTURES : EAD_RECENT_UNSEEN);
    bool turn = now - recent->last_picture[anomalous] >= wait;
    if (turn) recent->last_picture[anomalous] = now;
    pthread_mutex_unlock(&recent->mutex);
    return turn;
}

void ead_recent_images_add(EadRecentImages *recent, const EadLiveImage *image) {
    struct timespec now;
    bool anomalous = image->score >= image->model->threshold;
    RecentImage fresh = {
        .record = {.model = image->name, .score = image->score, .threshold = image->model->threshold},
        .seconds = (float)image->seconds,
        .network = (float)image->network,
        .width = image->width,
        .height = image->height};
    clock_gettime(CLOCK_REALTIME, &now);
    fresh.record.scored = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    copy_end(fresh.record.source, image->source ? image->source : "");
    snprintf(fresh.record.sha256, sizeof fresh.record.sha256, "%s", image->sha256);
    if (image->map && takes_turn(recent, anomalous)) ead_live_picture_make(image, &fresh.picture);
    pthread_mutex_lock(&recent->mutex);
    RecentCount *count = count_of(recent, image->name);
    if (count) count->images++, count->anomalous += anomalous;
    recent->sequence = image->sequence > 0 ? image->sequence : recent->sequence + 1;
    fresh.record.sequence = recent->sequence;
    fresh.stamp = ++recent->stamp;
    insert(recent, &fresh);
    pthread_mutex_unlock(&recent->mutex);
}

void ead_recent_images_fail(EadRecentImages *recent, const char *model, int64_t count) {
    pthread_mutex_lock(&recent->mutex);
    RecentCount *counted = count_of(recent, model);
    if (counted) counted->failed += count;
    pthread_mutex_unlock(&recent->mutex);
}

/* ---- telling ---- */

static void write_image(EadJson *json, const RecentImage *image) {
    const EadDecisionRecord *record = &image->record;
    char sha256[13];
    snprintf(sha256, sizeof sha256, "%.12s", record->sha256);
    ead_json_open(json, NULL, '{');
    ead_json_integer(json, "stamp", image->stamp);
    ead_json_integer(json, "sequence", record->sequence);
    ead_json_integer(json, "time", (int64_t)(1e3 * record->scored));
    ead_json_string(json, "model", record->model);
    ead_json_string(json, "sha256", sha256);
    ead_json_string(json, "source", record->source);
    ead_json_float(json, "score", record->score);
    ead_json_float(json, "threshold", record->threshold);
    ead_json_number(json, "ms", 1e3 * (double)image->seconds, 4);
    ead_json_number(json, "network_ms", 1e3 * (double)image->network, 4);
    ead_json_integer(json, "width", image->width);
    ead_json_integer(json, "height", image->height);
    ead_json_flag(json, "picture", image->picture.jpeg != NULL);
    ead_json_string(json, "decision", ead_decision_name(record->decision));
    ead_json_close(json, '}');
}

static void write_counts(EadJson *json, const EadRecentImages *recent) {
    ead_json_open(json, "counts", '[');
    for (int i = 0; i < recent->count; i++) {
        const RecentCount *count = &recent->counts[i];
        ead_json_open(json, NULL, '{');
        ead_json_string(json, "model", count->model);
        ead_json_integer(json, "images", count->images);
        ead_json_integer(json, "anomalous", count->anomalous);
        ead_json_integer(json, "failed", count->failed);
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
}

void ead_recent_images_write(EadRecentImages *recent, EadJson *json, int64_t after) {
    pthread_mutex_lock(&recent->mutex);
    recent->looked = ead_clock_seconds();
    bool pictured = recent->pictured < recent->added;
    ead_json_integer(json, "stamp", recent->stamp);
    ead_json_integer(json, "pictures", pictured ? image_at(recent, recent->pictured)->record.sequence : 0);
    write_counts(json, recent);
    ead_json_open(json, "images", '[');
    for (int64_t i = first_index(recent); i < recent->added; i++)
        if (image_at(recent, i)->stamp > after) write_image(json, image_at(recent, i));
    ead_json_close(json, ']');
    pthread_mutex_unlock(&recent->mutex);
}

EadStatus ead_recent_images_picture(EadRecentImages *recent, int64_t sequence, EadLivePicture *out) {
    EadStatus status = EAD_OK;
    *out = (EadLivePicture){0};
    pthread_mutex_lock(&recent->mutex);
    const RecentImage *image = find(recent, sequence);
    if (image && image->picture.jpeg) status = ead_live_picture_copy(&image->picture, out);
    pthread_mutex_unlock(&recent->mutex);
    return status;
}

/* ---- deciding ---- */

bool ead_recent_images_find(EadRecentImages *recent, int64_t sequence, EadDecisionRecord *out) {
    pthread_mutex_lock(&recent->mutex);
    const RecentImage *image = find(recent, sequence);
    if (image) *out = image->record;
    pthread_mutex_unlock(&recent->mutex);
    return image != NULL;
}

void ead_recent_images_decide(EadRecentImages *recent, int64_t sequence, EadDecision decision) {
    pthread_mutex_lock(&recent->mutex);
    RecentImage *image = find(recent, sequence);
    if (image) {
        image->record.decision = decision;
        image->stamp = ++recent->stamp;
    }
    pthread_mutex_unlock(&recent->mutex);
}
