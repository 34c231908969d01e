"""The project's random numbers in numpy: Philox4x32-10 with the same streams as core/base/philox.h.

Weights and test images of the golden values are drawn from it, so that C and Python make the very same ones
and neither has to be stored. `python3 philox.py` checks it against the published known answers."""
import numpy as np

STREAM_TEST = 7  # EAD_STREAM_TEST
STREAM_PARAMETERS = 1 << 32  # EAD_STREAM_PARAMETERS
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = 0x9E3779B9, 0xBB67AE85
LOW = np.uint64(0xFFFFFFFF)
HIGH_SHIFT = np.uint64(32)
CHUNK = 1 << 18  # blocks at a time: bounds the temporary memory


def philox(seed, stream, counters):
    """Blocks `counters` (uint64 [n]) of a stream as uint32 [n,4]; same as ead_philox."""
    counters = np.asarray(counters, dtype=np.uint64)
    key0, key1 = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    c0, c1 = counters & LOW, counters >> HIGH_SHIFT
    c2 = np.full_like(counters, stream & 0xFFFFFFFF)
    c3 = np.full_like(counters, (stream >> 32) & 0xFFFFFFFF)
    for _ in range(10):
        product0, product1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
        c0 = (product1 >> HIGH_SHIFT) ^ c1 ^ np.uint64(key0)
        c1 = product1 & LOW
        c2 = (product0 >> HIGH_SHIFT) ^ c3 ^ np.uint64(key1)
        c3 = product0 & LOW
        key0, key1 = (key0 + WEYL_0) & 0xFFFFFFFF, (key1 + WEYL_1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def words(seed, stream, first, count):
    """Words first .. first+count-1 of a stream as uint32 [count]; each is ead_philox_word(seed, stream, i)."""
    begin, end = first // 4, (first + count + 3) // 4
    parts = [philox(seed, stream, np.arange(at, min(at + CHUNK, end), dtype=np.uint64)).reshape(-1)
             for at in range(begin, end, CHUNK)]
    return np.concatenate(parts)[first - 4 * begin:][:count]


def uniform(word):
    """Uniform in [0,1) with 24 bits, as float64; ead_uniform gives the same value as float32."""
    return (word >> np.uint32(8)).astype(np.float64) * 2.0**-24


def shuffled_index(seed, stream, step, count):
    """Element `step` of an endless sequence of shuffled epochs of 0..count-1; same as ead_shuffled_index."""
    epoch, value = divmod(step, count)
    half = 1
    while half < 16 and 4**half < count:
        half += 1
    key = seed ^ (epoch * 0x9E3779B97F4A7C15 % 2**64)
    while True:
        left, right = divmod(value, 2**half)
        for turn in range(6):
            word = int(philox(key, stream, [turn << 32 | right])[0, 0])
            left, right = right, left ^ (word % 2**half)
        value = left << half | right
        if value < count:
            return value


def hash_name(name):
    """32-bit FNV-1a of a name, as an int; same as ead_hash_name."""
    value = 2166136261
    for byte in name.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def parameter(seed, name, count, fan_in):
    """float32 [count]: element i = (2u-1)/sqrt(fan_in), u from word i of the parameter's own stream.
    i counts in C's memory order (O,KH,KW,I); computed in double and rounded once."""
    u = uniform(words(seed, STREAM_PARAMETERS + hash_name(name), 0, count))
    return ((2.0 * u - 1.0) / np.sqrt(np.float64(fan_in))).astype(np.float32)


def test_image(seed, height, width):
    """uint8 [H,W,3]: 8x8 random flat cells with noise of 0..7 on top; H and W multiples of 8."""
    cells = (words(seed, STREAM_TEST, 0, 8 * 8 * 3) >> np.uint32(24)).reshape(8, 8, 3).astype(np.int32)
    noise = (words(seed, STREAM_TEST, 4096, height * width * 3) >> np.uint32(29)).reshape(height, width, 3)
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    return np.minimum(cells[rows][:, columns] + noise.astype(np.int32), 255).astype(np.uint8)


def self_check():
    """The known answers that Random123 publishes for philox4x32-10 (all zero, all ones, digits of pi)."""
    ones = (1 << 64) - 1
    cases = [(0, 0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
             (ones, ones, ones, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
             (0x299F31D0A4093822, 0x0370734413198A2E, 0x85A308D3243F6A88, "d16cfe09 94fdcceb 5001e420 24126ea1")]
    for seed, stream, counter, expected in cases:
        got = " ".join(f"{int(word):08x}" for word in philox(seed, stream, [counter])[0])
        assert got == expected, (got, expected)
    assert hash_name("") == 0x811C9DC5 and hash_name("foobar") == 0xBF9CF968
    assert (words(5, 9, 3, 6) == philox(5, 9, [0, 1, 2]).reshape(-1)[3:9]).all()


if __name__ == "__main__":
    self_check()
    print("philox.py agrees with the published known answers")
