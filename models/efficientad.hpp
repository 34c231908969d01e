// EfficientAD inference for C++11 and later: efficientad.h with destructors and exceptions, nothing else.
//
//     #include <efficientad.hpp>
//
//     efficientad::Detector detector("model.safetensors");
//     auto image = efficientad::image(mat.data, mat.cols, mat.rows, EAD_PIXELS_BGR8, mat.step);
//     efficientad::Result result = detector.run(image);
//     if (result.score >= detector.threshold()) reject(result.map);
//
// What it says of threads, formats, scores and maps is in efficientad.h. All failures are an efficientad::Error.
#pragma once

#include "efficientad.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace efficientad {

class Error : public std::runtime_error {
  public:
    explicit Error(int status) : std::runtime_error(ead_error_message()), status_(status) {}
    int status() const noexcept { return status_; }

  private:
    int status_;
};

// As EadDetectorOptions; empty and 0 are the defaults.
struct Options {
    std::string device, precision, maps;
    int threads = 0, batch = 0;
    int64_t max_pixels = 0;
};

struct Result {
    float score = 0;
    int width = 0, height = 0; // of the map; 0 where none was asked for
    std::vector<float> map;    // row by row
};

enum class Map { none, of_image, of_model };

// A region of interest of a call: a box, a mask of the caller's ([height][width] of the images, nonzero is inspected), or
// both. As in EadRunOptions.
struct Region {
    int x = 0, y = 0, width = 0, height = 0; // width 0: no box
    const uint8_t *mask = nullptr;
    int mask_width = 0, mask_height = 0;
    ptrdiff_t mask_stride = 0; // bytes from row to row; 0: rows are contiguous
};

// A view of pixels that stay the caller's. stride: bytes from row to row; 0: rows are contiguous.
inline EadImageView image(const void *pixels, int width, int height, EadPixelFormat format,
                          ptrdiff_t stride = 0, int white = 0) {
    static const int bytes[] = {3, 3, 4, 4, 1, 2};
    EadImageView view{};
    view.size = sizeof view;
    view.pixels = pixels;
    view.width = width;
    view.height = height;
    view.stride = stride ? stride : static_cast<ptrdiff_t>(bytes[format]) * width;
    view.format = format;
    view.white = white;
    return view;
}

// Moves, but is not copied: one detector, one thread at a time.
class Detector {
  public:
    explicit Detector(const std::string &path, const Options &options = Options()) {
        EadDetectorOptions given = of(options);
        EadDetector *detector;
        check(ead_detector_open_with(path.c_str(), &given, &detector));
        detector_.reset(detector);
    }

    // From a model file in memory, which may go afterwards.
    Detector(const void *bytes, size_t size, const Options &options = Options()) {
        EadDetectorOptions given = of(options);
        EadDetector *detector;
        check(ead_detector_open_memory(bytes, size, &given, &detector));
        detector_.reset(detector);
    }

    std::vector<Result> run(const std::vector<EadImageView> &images, Map map = Map::of_image,
                            const Region &region = Region()) {
        std::vector<Result> results(images.size());
        std::vector<float> scores(images.size());
        std::vector<float *> maps(images.size(), nullptr);
        EadRunOptions options = of(map, region);
        if (images.empty()) return results;
        for (size_t i = 0; map != Map::none && i < images.size(); i++) {
            Result &result = results[i];
            bool model = map == Map::of_model;
            result.width = model ? model_width() : images[i].width;
            result.height = model ? model_height() : images[i].height;
            if (result.width < 1 || result.height < 1) continue; // refused below
            result.map.resize(static_cast<size_t>(result.width) * static_cast<size_t>(result.height));
            maps[i] = result.map.data();
        }
        check(ead_detector_run_images(get(), images.data(), static_cast<int>(images.size()), &options,
                                      maps.data(), scores.data()));
        for (size_t i = 0; i < images.size(); i++) results[i].score = scores[i];
        return results;
    }

    Result run(const EadImageView &image, Map map = Map::of_image, const Region &region = Region()) {
        return std::move(run(std::vector<EadImageView>(1, image), map, region)[0]);
    }

    float score(const EadImageView &image, const Region &region = Region()) {
        return run(image, Map::none, region).score;
    }

    int model_width() const { return ead_detector_model_width(get()); }
    int model_height() const { return ead_detector_model_height(get()); }
    float threshold() const { return ead_detector_threshold(get()); } // NaN: none
    float pixel_threshold() const { return ead_detector_pixel_threshold(get()); }
    std::string threshold_rule() const { return text(ead_detector_threshold_rule(get())); }
    std::string method() const { return text(ead_detector_method(get())); }
    std::string maps() const { return text(ead_detector_maps(get())); }
    std::string metadata(const std::string &key) const {
        return text(ead_detector_metadata(get(), key.c_str()));
    }
    std::vector<std::string> metadata_keys() const {
        std::vector<std::string> keys;
        for (int i = 0; i < ead_detector_metadata_count(get()); i++)
            keys.push_back(ead_detector_metadata_key(get(), i));
        return keys;
    }

    EadDetector *get() const noexcept { return detector_.get(); } // for the functions of efficientad.h

  private:
    struct Close {
        void operator()(EadDetector *detector) const noexcept { ead_detector_close(detector); }
    };
    std::unique_ptr<EadDetector, Close> detector_;

    static void check(int status) {
        if (status != 0) throw Error(status);
    }
    static std::string text(const char *text) { return text ? text : ""; }
    static const char *or_null(const std::string &text) { return text.empty() ? nullptr : text.c_str(); }
    static EadRunOptions of(Map map, const Region &region) {
        EadRunOptions given{};
        given.size = sizeof given;
        given.map_size = map == Map::of_model ? EAD_MAP_OF_MODEL : EAD_MAP_OF_IMAGE;
        given.mask = region.mask;
        given.mask_stride = region.mask_stride;
        given.mask_width = region.mask_width;
        given.mask_height = region.mask_height;
        given.box_x = region.x;
        given.box_y = region.y;
        given.box_width = region.width;
        given.box_height = region.height;
        return given;
    }
    static EadDetectorOptions of(const Options &options) {
        EadDetectorOptions given{};
        given.size = sizeof given;
        given.device = or_null(options.device);
        given.precision = or_null(options.precision);
        given.maps = or_null(options.maps);
        given.max_pixels = options.max_pixels;
        given.threads = options.threads;
        given.batch = options.batch;
        return given;
    }
};

} // namespace efficientad
