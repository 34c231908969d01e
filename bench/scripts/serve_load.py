#!/usr/bin/env python3
"""Loads `efficientad serve` on loopback and looks at every answer; needs nothing but Python.

    bench/scripts/serve_load.py throughput MODEL   # images a second; compare with: efficientad bench infer
    bench/scripts/serve_load.py overload MODEL     # at least 10,000 requests, twice as many as it can answer: right, 503 or 504, none lost, memory stays flat
    bench/scripts/serve_load.py slow MODEL         # 1,000 connections that send a byte a second beside others
    bench/scripts/serve_load.py soak MODEL         # half an hour at full load: memory stays flat

Requests are images of noise, 256 x 256, by the binary extension; options that are not the script's are those of serve. Exit code 1 where a score is
not that of predict, an answer is missing, or memory has grown by more than 5 %."""
import argparse
import asyncio
import collections
import json
import math
import random
import re
import struct
import subprocess
import sys
import tempfile
import time

SIDE, IMAGES = 256, 8


def make_request(pixels):
    head = json.dumps({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, SIDE, SIDE, 3],
                                   "parameters": {"binary_data_size": len(pixels)}}]}).encode()
    return (f"POST /v2/models/loaded/infer HTTP/1.1\r\nHost: localhost\r\nInference-Header-Content-Length: {len(head)}\r\n"
            f"Content-Length: {len(head) + len(pixels)}\r\n\r\n").encode() + head + pixels


def ask_predict(program, model, images):
    """The scores that `predict` gives the images."""
    with tempfile.TemporaryDirectory() as folder:
        for i, pixels in enumerate(images):
            turned = bytearray(pixels)
            turned[0::3], turned[2::3] = pixels[2::3], pixels[0::3]
            with open(f"{folder}/{i}.bmp", "wb") as file:
                file.write(struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54 + len(pixels), 0, 54, 40, SIDE, -SIDE, 1, 24, 0, 0, 0, 0, 0, 0) + turned)
        said = subprocess.run([program, "predict", "--quiet", "--model", model, *(f"{folder}/{i}.bmp" for i in range(len(images)))],
                              check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line)["score"] for line in said.splitlines()]


class Line:
    """A connection, opened again when it has been idle for as long as the server allows, or is closed."""

    def __init__(self, port):
        self.port, self.writer = port, None

    async def ask(self, request):
        if not self.writer or self.writer.is_closing() or time.monotonic() > self.end:
            if self.writer:
                self.writer.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        body = await self.reader.readexactly(int(re.search(r"Content-Length: (\d+)", head)[1]))
        if "Connection: close" in head:
            self.writer.close()
        else:
            self.end = time.monotonic() + int(re.search(r"Keep-Alive: timeout=(\d+)", head)[1])
        return int(head.split()[1]), body


class Load:
    def __init__(self, port, images, expected):
        self.port, self.counts, self.expected = port, collections.Counter(), expected
        self.requests = [make_request(pixels) for pixels in images]

    async def score(self, line, index):
        """Sends an image, and counts what comes of it."""
        try:
            code, body = await line.ask(self.requests[index])
        except (OSError, asyncio.IncompleteReadError) as error:
            line.writer = None
            self.counts[f"lost: {error}"] += 1
            return
        if code != 200:
            self.counts[code if code in (503, 504) else f"wrong: {code} {body[:200]}"] += 1
            return
        right = self.expected[index] == json.loads(body)["outputs"][0]["data"][0]
        self.counts[200 if right else "wrong: another score"] += 1

    async def press(self, clients, seconds):
        """So many clients that each wait for their answer; gives images a second."""
        end, begin, before = time.monotonic() + seconds, time.monotonic(), self.counts[200]

        async def client():
            line = Line(self.port)
            while time.monotonic() < end:
                await self.score(line, random.randrange(IMAGES))
        await asyncio.gather(*(client() for _ in range(clients)))
        return (self.counts[200] - before) / (time.monotonic() - begin)

    async def flood(self, requests, rate):
        """Requests that begin at a rate, whatever becomes of those before."""
        free, tasks, begin = [], [], time.monotonic()

        async def one(index):
            line = free.pop() if free else Line(self.port)
            await self.score(line, index)
            free.append(line)
        for i in range(requests):
            await asyncio.sleep(max(0, begin + i / rate - time.monotonic()))
            tasks.append(asyncio.create_task(one(i % IMAGES)))
        await asyncio.gather(*tasks)

    async def dawdle(self, connections, seconds):
        """Connections that send a byte a second, half of them of a header, the others of a body; they are opened again when they are cut off."""
        writers, sent, end = [None] * connections, [0] * connections, time.monotonic() + seconds
        request = self.requests[0]
        while time.monotonic() < end:
            for i, writer in enumerate(writers):
                if not writer or writer.is_closing():
                    writers[i] = writer = (await asyncio.open_connection("127.0.0.1", self.port))[1]
                    sent[i] = request.index(b"\r\n\r\n") + 4 if i % 2 else 0
                    writer.write(request[:sent[i]])
                    self.counts["slow connections"] += 1
                writer.write(request[sent[i]:sent[i] + 1])
                sent[i] += 1
            await asyncio.sleep(1)

    async def resident(self):
        _, body = await Line(self.port).ask(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return int(re.search(rb"\nprocess_resident_memory_bytes (\d+)", body)[1]) / 1e6

    async def watch_memory(self, seconds):
        samples = []
        for _ in range(20):
            await asyncio.sleep(seconds / 20)
            samples.append(await self.resident())
        print("resident MB: " + " ".join(f"{one:.1f}" for one in samples))
        if samples[-1] > 1.05 * max(samples[:5]):  # by then the queue is full
            self.counts["wrong: memory grows"] += 1


async def run(options, load):
    clients = 2 * options.workers + 2
    if options.what == "throughput":
        print(f"{await load.press(clients, options.seconds or 20):.1f} images a second")
    elif options.what == "overload":
        rate = await load.press(clients, 10)
        seconds = options.seconds or options.requests / (2 * rate)
        requests = max(options.requests, math.ceil(2 * rate * seconds))
        print(f"{rate:.1f} images a second can be answered; {requests} requests, {requests / seconds:.1f} a second", flush=True)
        await asyncio.gather(load.flood(requests, requests / seconds), load.watch_memory(seconds))
    elif options.what == "slow":
        seconds = options.seconds or 60
        alone = await load.press(clients, 10)
        _, beside, _ = await asyncio.gather(load.dawdle(options.connections, seconds), load.press(clients, seconds), load.watch_memory(seconds))
        print(f"{beside:.1f} images a second beside {options.connections} slow connections, {alone:.1f} without them")
    else:
        seconds = options.seconds or 1800
        await asyncio.gather(load.press(clients, seconds), load.watch_memory(seconds))
    for what, count in load.counts.items():
        print(f"{count} x {what}")
    return not any(str(what).startswith(("wrong", "lost")) for what in load.counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["throughput", "overload", "slow", "soak"])
    parser.add_argument("model")
    parser.add_argument("--program", default="build/efficientad")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--connections", type=int, default=1000)
    options, of_serve = parser.parse_known_args()
    images = [random.Random(seed).randbytes(SIDE * SIDE * 3) for seed in range(IMAGES)]
    expected = ask_predict(options.program, options.model, images)
    server = subprocess.Popen([options.program, "serve", "-m", "loaded=" + options.model, "--listen", "127.0.0.1:0",
                               "--workers", str(options.workers), "--page-memory", "0", *of_serve], stderr=subprocess.PIPE, text=True)
    try:
        for said in server.stderr:
            if "listening at" in said:
                break
        else:
            sys.exit("the server did not start")
        good = asyncio.run(run(options, Load(int(said.rsplit(":", 1)[1]), images, expected)))
    finally:
        server.terminate()
        ended = server.wait()
    sys.exit(not good or ended)


if __name__ == "__main__":
    main()
