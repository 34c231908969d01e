/* The table. */
#include "train/camera/camera_pixels.h"

static const struct {
    const char *name;
    uint32_t number;
    int channels, step;
    bool reversed;
    int white;
} formats[] = {
    {"Mono8", 0x01080001, 1, 1, false, 0},      {"Mono10", 0x01100003, 1, 2, false, 1023},
    {"Mono12", 0x01100005, 1, 2, false, 4095},  {"Mono14", 0x01100025, 1, 2, false, 16383},
    {"Mono16", 0x01100007, 1, 2, false, 65535}, {"RGB8", 0x02180014, 3, 3, false, 0},
    {"BGR8", 0x02180015, 3, 3, true, 0},        {"RGBa8", 0x02200016, 3, 4, false, 0},
    {"BGRa8", 0x02200017, 3, 4, true, 0},
};

enum { FORMATS = sizeof formats / sizeof *formats };

bool ead_camera_pixels(uint32_t format, EadPixelRows *rows) {
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].number != format) continue;
        rows->channels = formats[i].channels;
        rows->step = formats[i].step;
        rows->reversed = formats[i].reversed;
        rows->white = formats[i].white;
        return true;
    }
    return false;
}

const char *ead_camera_pixel_name(int index) {
    return index < FORMATS ? formats[index].name : NULL;
}
