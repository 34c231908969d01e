"""The Python package as users have it, installed from the wheel: test_wheel.c runs this in a bare virtual environment.

    python test_package.py PROGRAM MODEL FOLDER

PROGRAM: efficientad; MODEL: a model file of 128x128 with a threshold; FOLDER: for what is written.
"""

import copy
import json
import os
import pathlib
import pickle
import resource
import struct
import subprocess
import sys
import threading
import unittest
import zlib

import numpy

import efficientad

PROGRAM, MODEL, FOLDER = "", "", ""
NOISE = numpy.random.default_rng(1).integers(0, 256, (90, 150, 3), numpy.uint8)


def write_bmp(path, rgb):
    """24 bits, rows from the last, blue first, padded to 4 bytes."""
    height, width = rgb.shape[:2]
    stride = (3 * width + 3) // 4 * 4
    rows = numpy.zeros((height, stride), numpy.uint8)
    rows[:, :3 * width] = rgb[::-1, :, ::-1].reshape(height, -1)
    head = b"BM" + numpy.array([54 + rows.size, 0, 54, 40, width, height], "<i4").tobytes()
    head += numpy.array([1, 24], "<i2").tobytes() + numpy.array([0, rows.size, 0, 0, 0, 0], "<i4").tobytes()
    with open(path, "wb") as file:
        file.write(head + rows.tobytes())


def modules_after(code):
    """The modules that a new interpreter has after numpy, and after that code besides."""
    program = f"import sys, numpy\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    command = [sys.executable, "-c", program, MODEL]
    return set(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split())


class Imports(unittest.TestCase):
    """What takes time before the first score is what is imported for it."""

    def test_a_score_needs_little(self):
        score = "import efficientad\nefficientad.Detector(sys.argv[1])(numpy.zeros((9, 9), numpy.uint8))"
        own = {f"efficientad{part}" for part in ("", "._images", "._library", "._version", ".detector")}
        self.assertEqual(modules_after(score), own)

    def test_the_rest_comes_when_it_is_used(self):
        self.assertIn("efficientad.program", modules_after("from efficientad import train"))
        self.assertIn("efficientad.estimator", modules_after("from efficientad import *\nGoodImages()"))
        self.assertLessEqual(set(efficientad.__all__), set(dir(efficientad)))
        with self.assertRaisesRegex(AttributeError, "no attribute 'score'"):
            efficientad.score


class Scores(unittest.TestCase):
    def setUp(self):
        self.detector = efficientad.Detector(MODEL, threads=1)
        self.expected = self.detector(NOISE)

    def same(self, image, **how):
        got = self.detector(image, **how)
        self.assertEqual(got.score, self.expected.score)
        numpy.testing.assert_array_equal(got.map, self.expected.map)

    def test_a_result(self):
        result = self.expected
        self.assertEqual(result.map.shape, (90, 150))
        self.assertEqual(result.map.dtype, numpy.float32)
        self.assertEqual(result.score, result.map.max())
        self.assertIs(result.anomalous, result.score >= 0.25)

    def test_the_program_says_the_same(self):
        path = os.path.join(FOLDER, "noise.bmp")
        write_bmp(path, NOISE)
        line = subprocess.run([PROGRAM, "predict", "-q", "--threads", "1", "--model", MODEL, path], check=True,
                              stdout=subprocess.PIPE).stdout
        self.assertAlmostEqual(json.loads(line)["score"], self.expected.score, delta=1e-6 * abs(self.expected.score))
        self.same(path)

    def test_strides(self):
        wide = numpy.zeros((95, 170, 3), numpy.uint8)
        wide[3:93, 11:161] = NOISE
        self.same(wide[3:93, 11:161])
        self.same(numpy.ascontiguousarray(NOISE[::-1])[::-1])
        self.same(numpy.ascontiguousarray(NOISE[:, ::-1])[:, ::-1])
        self.same(numpy.asfortranarray(NOISE))
        self.same(numpy.repeat(NOISE, 2, axis=0)[::2])
        frozen = NOISE.copy()
        frozen.flags.writeable = False
        self.same(frozen)

    def test_channels(self):
        bgr = numpy.ascontiguousarray(NOISE[:, :, ::-1])
        self.same(bgr, channels="bgr")
        self.same(NOISE[:, :, ::-1], channels="bgr")
        self.assertNotEqual(self.detector(bgr).score, self.expected.score)
        alpha = numpy.full((90, 150, 1), 7, numpy.uint8)
        self.same(numpy.concatenate([NOISE, alpha], 2))
        self.same(numpy.concatenate([bgr, alpha], 2), channels="bgr")

    def test_gray(self):
        gray = NOISE[:, :, 0]
        self.expected = self.detector(numpy.repeat(gray[:, :, None], 3, axis=2))
        self.same(gray)
        self.same(gray[:, :, None])
        self.same(gray.astype(numpy.uint16) << 4 | 9, white=4095)
        self.same(gray.astype(numpy.uint16) << 8, white=65535)

    def test_files_of_16_bits(self):
        gray = NOISE[:, :, 0]
        self.expected = self.detector(gray)
        path = os.path.join(FOLDER, "deep.png")
        rows = numpy.zeros((90, 1 + 2 * 150), numpy.uint8)  # each begins with its filter, 0
        rows[:, 1:] = (gray.astype(numpy.uint16) << 4 | 9).astype(">u2").view(numpy.uint8)
        head, data = struct.pack(">IIBBBBB", 150, 90, 16, 0, 0, 0, 0), zlib.compress(rows.tobytes())
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            for kind, content in (b"IHDR", head), (b"IDAT", data), (b"IEND", b""):
                file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
        self.same(path, white=4095)
        self.assertNotEqual(self.detector(path).score, self.expected.score)

    def test_pil(self):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("no Pillow")
        picture = Image.fromarray(NOISE)
        self.same(picture)
        self.same(picture.convert("RGBA"))
        self.same(picture, channels="bgr")  # what a PIL image is, it says itself
        deep = NOISE[:, :, 0].astype(numpy.int32) << 4
        expected = self.detector(deep.astype(numpy.uint16), white=4095).score
        self.assertEqual(self.detector(Image.fromarray(deep), white=4095).score, expected)
        with self.assertRaisesRegex(ValueError, "values from -1 to"):
            self.detector(Image.fromarray(deep - 1))
        with self.assertRaisesRegex(TypeError, 'mode "F"'):
            self.detector(Image.fromarray(deep.astype(numpy.float32)))
        picture.save(os.path.join(FOLDER, "noise.png"))
        self.same(os.path.join(FOLDER, "noise.png"))

    def test_maps(self):
        out = numpy.empty((90, 150), numpy.float32)
        self.assertIs(self.detector(NOISE, out=out).map, out)
        numpy.testing.assert_array_equal(out, self.expected.map)
        self.assertIsNone(self.detector(NOISE, map=False).map)
        small = self.detector(NOISE, map="model")
        self.assertEqual(small.map.shape, (128, 128))
        self.assertEqual(small.score, self.expected.score)

    def test_regions(self):
        mask = numpy.zeros((90, 150), bool)
        mask[10:70, 20:110] = True
        changed = numpy.where(mask[:, :, None], NOISE, 255 - NOISE)
        for region in ({"mask": mask}, {"mask": numpy.asfortranarray(mask.astype(numpy.uint8) * 3)},
                       {"box": (20, 10, 90, 60)}, {"box": (20, 10, 90, 60), "mask": mask}):
            first, second = self.detector(NOISE, **region), self.detector(changed, **region)
            self.assertEqual(first.score, second.score)
            numpy.testing.assert_array_equal(first.map, second.map)
            self.assertNotEqual(first.score, self.expected.score)
            self.assertEqual(self.detector.predict([NOISE], **region)[0].score, first.score)
        self.same(NOISE)
        for region, error, text in [({"mask": mask[1:]}, efficientad.Error, "the mask has 150 x 89"),
                                    ({"mask": NOISE}, TypeError, "mask must be"),
                                    ({"mask": mask * 1.0}, TypeError, "mask must be"),
                                    ({"box": (100, 0, 51, 9)}, efficientad.Error, "does not hold the box"),
                                    ({"box": (0, 0, 0, 9)}, ValueError, "box is"), ({"box": 9}, ValueError, "box is"),
                                    ({"box": (0, 0, 9)}, ValueError, "box is"),
                                    ({"box": (0, 0, 9, 1.5)}, TypeError, "1.5; it must be a whole number"),
                                    ({"box": (0, 0, 9, 1 << 32)}, ValueError, "4294967296, which is too large"),
                                    ({"mask": mask * False}, efficientad.Error, "nothing is inside")]:
            with self.assertRaisesRegex(error, text):
                self.detector(NOISE, **region)

    def test_batches(self):
        images = [NOISE, NOISE[:, :, 0], NOISE[::2], NOISE[:, ::-1], NOISE]
        for batch in (1, 2, 8):
            with efficientad.Detector(MODEL, threads=1, batch=batch) as detector:
                for image, result in zip(images, detector.predict(iter(images))):
                    alone = self.detector(image)
                    numpy.testing.assert_allclose(result.map, alone.map, rtol=0, atol=2e-6 * abs(alone.score))
                    self.assertAlmostEqual(result.score, alone.score, delta=2e-6 * abs(alone.score))
                self.assertEqual(detector.predict([]), [])
        self.assertEqual(len(self.detector.predict(numpy.zeros((2, 20, 30), numpy.uint8))), 2)
        self.assertEqual(self.detector.predict(NOISE[None])[0].score, self.expected.score)

    def test_one_image_is_not_many(self):
        for one in (NOISE, NOISE[:, :, :1], NOISE[:, :, 0], "photos", pathlib.Path("photos"), MODEL, b"photos", 7, None):
            with self.assertRaisesRegex(TypeError, "where many images are expected"):
                self.detector.predict(one)

    def test_memory(self):
        with open(MODEL, "rb") as file:
            self.detector = efficientad.Detector(file.read())
        self.same(NOISE)

    def test_wrong_images(self):
        for image, error, text in [
                (NOISE.astype(numpy.float32), TypeError, "an image of float32"),
                (NOISE.astype(numpy.uint16), TypeError, "uint16 of one channel"),
                (NOISE[0, 0], ValueError, r"shape \(3,\)"), (NOISE[:, :, :2], ValueError, "shape"),
                (NOISE[None], ValueError, "shape"), (b"pixels", TypeError, "an image of type bytes"),
                (NOISE[:, :0], efficientad.Error, "each side must be 1 to 65535"),
                (NOISE[:0], efficientad.Error, "each side must be 1 to 65535"),
                (NOISE[:, :, 0].astype(numpy.uint16), efficientad.Error, "white is 0 of an image of gray16"),
                ("nothing.png", efficientad.Error, "nothing.png: cannot read"),
                ("a.png\0.txt", ValueError, "zero byte"),
                (MODEL, efficientad.Error, "model.safetensors")]:
            with self.assertRaisesRegex(error, text):
                self.detector(image)
        with self.assertRaisesRegex(TypeError, "white is 9.0; it must be a whole number"):
            self.detector(NOISE[:, :, 0].astype(numpy.uint16), white=9.0)
        for how, text in [({"channels": "RGB"}, "channels is 'RGB'"), ({"map": "image"}, "map is 'image'"),
                          ({"white": 9}, "white is 9"), ({"white": 65536}, "white is 65536; it must be"), ({"out": numpy.empty((90, 150))}, "out must be"),
                          ({"out": numpy.empty((150, 90), numpy.float32)}, "out must be")]:
            with self.assertRaisesRegex(ValueError, text):
                self.detector(NOISE, **how)
        self.same(NOISE)  # and none of these left a trace

    def test_wrong_models(self):
        for model, how, text in [("nothing", {}, "nothing: cannot open"), (b"no model", {}, "the model in memory: "),
                                 (MODEL, {"device": "tpu"}, "device 'tpu'"), (MODEL, {"maps": "x"}, "no maps 'x'"),
                                 (MODEL, {"threads": -1}, "threads"), (MODEL, {"precision": "fp8"}, "precision")]:
            with self.assertRaisesRegex(efficientad.Error, text):
                efficientad.Detector(model, **how)
        for how, error, text in [({"threads": 1.5}, TypeError, "threads is 1.5"),
                                 ({"threads": 1 << 32}, ValueError, "too large"),
                                 ({"max_pixels": 1 << 64}, ValueError, "too large"),
                                 ({"batch": None}, TypeError, "batch is None"),
                                 ({"device": None}, TypeError, "device is None"), ({"maps": "st\0"}, TypeError, "maps is")]:
            with self.assertRaisesRegex(error, text):
                efficientad.Detector(MODEL, **how)
        self.detector.close()
        self.detector.close()
        with self.assertRaisesRegex(efficientad.Error, "closed"):
            self.detector(NOISE)

    def test_copies(self):
        for action in (copy.copy, copy.deepcopy, pickle.dumps):
            with self.assertRaisesRegex(TypeError, "cannot be copied or pickled"):
                action(self.detector)
        self.same(NOISE)

    def test_closed_while_it_works(self):
        begun, ended = threading.Event(), []

        def work():
            try:
                while True:
                    ended.append(self.detector(NOISE).score)
                    begun.set()
            except efficientad.Error as error:
                ended.append(str(error))
        for _ in range(3):
            begun.clear()
            thread = threading.Thread(target=work)
            thread.start()
            begun.wait()
            self.detector.close()
            thread.join()
            self.assertEqual(ended.pop(), "the detector is closed")
            self.assertEqual(set(ended), {self.expected.score})
            self.detector = efficientad.Detector(MODEL, threads=1)

    def test_what_the_file_says(self):
        self.assertEqual((self.detector.threshold, self.detector.pixel_threshold), (0.25, 0.25))
        self.assertEqual((self.detector.method, self.detector.maps), ("efficientad", "both"))
        self.assertEqual(self.detector.model_size, (128, 128))
        self.assertEqual(self.detector.metadata["format"], "efficientad/1")
        other = efficientad.Detector(MODEL, maps="st")
        self.assertEqual((other.threshold, other.threshold_rule, other(NOISE).anomalous), (None, None, None))

    def test_threads(self):
        wrong = []

        def work(detector):
            wrong.extend(1 for _ in range(5) if detector(NOISE).score != self.expected.score)
        threads = [threading.Thread(target=work, args=(efficientad.Detector(MODEL, threads=1),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Costs(unittest.TestCase):
    def test_memory_does_not_grow(self):
        detector = efficientad.Detector(MODEL, threads=1)
        image = numpy.ascontiguousarray(NOISE[:32, :32])
        resident = []
        for i in range(int(os.environ.get("EFFICIENTAD_IMAGES", "300"))):
            detector(image[:, ::-1] if i % 2 else image)
            if i % 100 == 99:
                with open("/proc/self/statm", encoding="ascii") as file:
                    resident.append(int(file.read().split()[1]) * resource.getpagesize())
        print(f"{i + 1} images: {resident[0] / 1e6:.1f} MB after 100, {resident[-1] / 1e6:.1f} MB at the end")
        self.assertLess(resident[-1] - resident[0], 1e6)

    def test_time_to_the_first_score(self):
        code = ("import time; start = time.perf_counter(); used = time.process_time(); import efficientad, numpy;"
                "efficientad.Detector(%r, threads=1)(numpy.zeros((64, 64, 3), numpy.uint8));"
                "print(time.process_time() - used, time.perf_counter() - start)" % MODEL)
        times = [tuple(map(float, subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE,
                                                 text=True).stdout.split())) for _ in range(5)]
        # Told, not asserted: it is another one on every machine.
        print("from import to the first score: %.3f s of CPU, %.3f s in all" % min(times))


class Programs(unittest.TestCase):
    def settings(self, **more):
        return {"train.steps": 2, "model.image_size": 128, "penalty.path": "drawn", "loss.penalty": False, **more}

    def images(self):
        return [NOISE[:64, i:i + 64] for i in range(6)]

    def test_train_and_evaluate(self):
        output = os.path.join(FOLDER, "run")
        lines = []
        subprocess.run([PROGRAM, "synth", "--output", FOLDER, "--size", "64", "--train", "5", "--test-good", "2",
                        "--test-defect", "1"], check=True, stderr=subprocess.PIPE)
        data = {"dataset.type": "mvtec_ad", "dataset.path": FOLDER, "dataset.category": "gasket"}
        path = efficientad.train(output=output, settings={**self.settings(), **data}, progress=lines.append)
        self.assertTrue(any(p.what == "training" and p.done == p.total == 2 for p in lines), lines)
        self.assertTrue(efficientad.Detector(path).threshold_rule)
        metrics = efficientad.evaluate(path, os.path.join(FOLDER, "metrics"))
        self.assertIn("image_auroc", json.dumps(metrics))

    def test_failures_are_errors(self):
        with self.assertRaisesRegex(efficientad.Error, "train.steps: 0 is out of the range"):
            efficientad.train(FOLDER, os.path.join(FOLDER, "none"), steps=0)
        self.assertFalse(os.path.exists(os.path.join(FOLDER, "none")))

    def test_an_exception_ends_the_program(self):
        def stop(progress):
            raise KeyError(progress.line)
        with self.assertRaises(KeyError):
            efficientad.train(config="efficientad_s", output=os.path.join(FOLDER, "stopped"), steps=10 ** 6, progress=stop)

    def test_the_estimator(self):
        model = efficientad.GoodImages(channels="bgr", settings=self.settings())
        self.assertEqual(efficientad.GoodImages(**model.get_params()).get_params(), model.get_params())
        images = self.images()
        with self.assertRaisesRegex(ValueError, "not fitted"):
            model.predict(images)
        decisions = model.fit(images).decision_function(images)
        numpy.testing.assert_array_equal(model.predict(images), numpy.where(decisions > 0, 1, -1))
        again = pickle.loads(pickle.dumps(model))
        numpy.testing.assert_array_equal(again.score_samples(images), model.score_samples(images))
        scores = [efficientad.Detector(model.model_)(image, channels="bgr").score for image in images]
        numpy.testing.assert_allclose(-numpy.array(scores), model.score_samples(images), rtol=1e-5)

    def test_other_methods(self):
        model = efficientad.GoodImages(method="patchcore", image_size=128).fit(iter(self.images()))
        self.assertEqual(efficientad.Detector(model.model_).method, "patchcore")
        self.assertEqual(set(model.predict(self.images())) - {1, -1}, set())

    def test_the_command(self):
        command = os.path.join(os.path.dirname(sys.executable), "efficientad")
        version = subprocess.run([command, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.assertIn(efficientad.__version__, version)


if __name__ == "__main__":
    PROGRAM, MODEL, FOLDER = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
