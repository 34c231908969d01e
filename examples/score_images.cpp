// Scores images in several threads by the C++ wrapper, each thread with a detector of its own.
//
//     cmake -B build && cmake --build build          (CMakeLists.txt beside this file)
//     build/score_images model.safetensors a.ppm b.ppm c.ppm
//
// Reads binary PPM of 8 bits and gives the pixels as BGR, as OpenCV would. Prints a line for each image, in order. Exit
// code 0: all are good; 1: some are anomalous; 2: an error.
#include <efficientad.hpp>

#include <atomic>
#include <fstream>
#include <iostream>
#include <thread>

namespace {

struct Picture {
    int width = 0, height = 0;
    std::vector<unsigned char> bgr;
};

Picture read_picture(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string kind;
    int most = 0;
    Picture picture;
    file >> kind >> picture.width >> picture.height >> most;
    file.get();
    if (!file || kind != "P6" || most != 255 || picture.width < 1 || picture.height < 1)
        throw std::runtime_error(path + ": no binary PPM of 8 bits");
    picture.bgr.resize(std::size_t(3) * picture.width * picture.height);
    file.read(reinterpret_cast<char *>(picture.bgr.data()), static_cast<std::streamsize>(picture.bgr.size()));
    if (!file) throw std::runtime_error(path + ": cut short");
    for (std::size_t i = 0; i < picture.bgr.size(); i += 3) std::swap(picture.bgr[i], picture.bgr[i + 2]);
    return picture;
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 3) {
        std::cerr << "usage: score_images MODEL IMAGE.ppm...\n";
        return 2;
    }
    const int count = argc - 2;
    std::vector<std::string> lines(count);
    std::atomic<int> next{0}, anomalous{0}, failed{0};

    auto work = [&] {
        try {
            efficientad::Options options;
            options.threads = 1;
            efficientad::Detector detector(argv[1], options);
            for (int i; (i = next++) < count;) {
                Picture picture = read_picture(argv[2 + i]);
                float score = detector.score(
                    efficientad::image(picture.bgr.data(), picture.width, picture.height, EAD_PIXELS_BGR8));
                bool bad = score >= detector.threshold(); // false without a threshold, which is NaN
                anomalous += bad;
                lines[i] =
                    std::string(argv[2 + i]) + " " + std::to_string(score) + (bad ? " anomalous" : " good");
            }
        } catch (const std::exception &error) {
            failed++;
            std::cerr << error.what() << "\n";
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) threads.emplace_back(work);
    for (std::thread &thread : threads) thread.join();
    if (failed) return 2;
    for (const std::string &line : lines) std::cout << line << "\n";
    return anomalous > 0;
}
