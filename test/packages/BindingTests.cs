// The C# binding, held against what the C library said of the same pixels; test_csharp.c compiles and runs this.
//
//     mono BindingTests.exe FOLDER
//
// FOLDER has model.safetensors (128x128), bare.safetensors (without a threshold), pixels (rgb, WIDTH x HEIGHT), map
// (floats of the size of the image) and score (text). Prints what fails; exit code 1 then.
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using EfficientAD;

static class BindingTests
{
    const int Width = 60, Height = 40;
    static string folder;
    static byte[] rgb;
    static float expectedScore;
    static float[,] expectedMap;
    static int failures;

    static void Expect(bool holds, string what)
    {
        if (holds) return;
        Console.WriteLine("FAULT: " + what);
        failures++;
    }

    static void Throws<T>(Action action, string text, string what) where T : Exception
    {
        try
        {
            action();
            Expect(false, what + ": no exception");
        }
        catch (T error)
        {
            Expect(error.Message.Contains(text), what + ": " + error.Message);
        }
    }

    static string In(string name) { return Path.Combine(folder, name); }
    static Detector Open(int batch = 0) { return new Detector(In("model.safetensors"), new DetectorOptions { Threads = 1, Batch = batch }); }

    static void Same(Detector detector, ImageView image, string what)
    {
        Result result = detector.Run(image);
        Expect(result.Score == expectedScore, what + ": score " + result.Score + " for " + expectedScore);
        Expect(result.Map.Cast<float>().SequenceEqual(expectedMap.Cast<float>()), what + ": the map");
    }

    // Each pixel as `bytes` numbers, those of the channels in `order`; rows `padding` bytes apart, or upside down.
    static byte[] Arranged(int[] order, int padding, bool upside_down)
    {
        int stride = order.Length * Width + padding;
        var pixels = Enumerable.Repeat((byte)200, stride * Height).ToArray();
        for (int i = 0; i < Width * Height; i++)
            for (int c = 0; c < order.Length; c++)
            {
                int row = upside_down ? Height - 1 - i / Width : i / Width;
                if (order[c] >= 0) pixels[row * stride + i % Width * order.Length + c] = rgb[3 * i + order[c]];
            }
        return pixels;
    }

    static void Formats(Detector detector)
    {
        Same(detector, new ImageView(rgb, Width, Height, PixelFormat.Rgb8), "rgb8");
        Same(detector, new ImageView(Arranged(new[] { 2, 1, 0 }, 0, false), Width, Height, PixelFormat.Bgr8), "bgr8");
        Same(detector, new ImageView(Arranged(new[] { 0, 1, 2, -1 }, 0, false), Width, Height, PixelFormat.Rgba8), "rgba8");
        Same(detector, new ImageView(Arranged(new[] { 2, 1, 0, -1 }, 12, false), Width, Height, PixelFormat.Bgra8,
                                     4 * Width + 12), "bgra8 with a stride");
        byte[] last = Arranged(new[] { 0, 1, 2 }, 5, true);
        int stride = 3 * Width + 5;
        Same(detector, new ImageView(last, Width, Height, PixelFormat.Rgb8, -stride, (Height - 1) * stride), "rows from the last");
        Same(detector, new ImageView(new byte[7].Concat(rgb).ToArray(), Width, Height, PixelFormat.Rgb8, offset: 7), "an offset");
        GCHandle pinned = GCHandle.Alloc(rgb, GCHandleType.Pinned);
        Same(detector, new ImageView(pinned.AddrOfPinnedObject(), Width, Height, PixelFormat.Rgb8), "an address");
        pinned.Free();
        float other = detector.Run(new ImageView(rgb, Width, Height, PixelFormat.Bgr8)).Score;
        Expect(other != expectedScore, "the order of channels matters");
    }

    static void Gray(Detector detector)
    {
        byte[] gray = Arranged(new[] { 0 }, 0, false), three = Arranged(new[] { 0, 0, 0 }, 0, false);
        ushort[] twelve = gray.Select(v => (ushort)(v << 4 | 9)).ToArray();
        var apart = new ushort[(Width + 3) * Height];
        for (int i = 0; i < Width * Height; i++) apart[i / Width * (Width + 3) + i % Width] = twelve[i];
        var bytes = new byte[2 * twelve.Length];
        Buffer.BlockCopy(twelve, 0, bytes, 0, bytes.Length);
        float expected = detector.Run(new ImageView(three, Width, Height, PixelFormat.Rgb8)).Score;
        var views = new[] {
            new ImageView(gray, Width, Height, PixelFormat.Gray8), new ImageView(twelve, Width, Height, white: 4095),
            new ImageView(apart, Width, Height, 2 * (Width + 3), white: 4095),
            new ImageView(bytes, Width, Height, PixelFormat.Gray16, white: 4095),
            new ImageView(gray.Select(v => (ushort)(v << 8)).ToArray(), Width, Height, white: 65535) };
        for (int i = 0; i < views.Length; i++)
            Expect(detector.Run(views[i]).Score == expected, "gray view " + i);
        Throws<DetectorException>(() => detector.Run(new ImageView(twelve, Width, Height)), "white is 0", "gray16 without white");
    }

    static void Maps(Detector detector)
    {
        var image = new ImageView(rgb, Width, Height, PixelFormat.Rgb8);
        Result model = detector.Run(image, MapSize.OfModel), none = detector.Run(image, MapSize.None);
        Expect(model.Map.GetLength(0) == 128 && model.Map.GetLength(1) == 128, "the map's size");
        Expect(model.Score == expectedScore && none.Score == expectedScore, "scores do not depend on maps");
        Expect(none.Map == null, "no map");
        Expect(model.Map.Cast<float>().Max() <= expectedScore * 1.1f, "the model's map");
    }

    // What is outside of a box, a mask or both moves nothing.
    static void Regions(Detector detector)
    {
        var mask = new byte[Height, Width];
        var changed = (byte[])rgb.Clone();
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < Width; x++)
            {
                bool inside = x >= 20 && x < Width - 30 && y >= 10 && y < Height - 15;
                mask[y, x] = (byte)(inside ? 7 : 0);
                for (int c = 0; c < 3 && !inside; c++) changed[3 * (y * Width + x) + c] ^= 0x55;
            }
        ImageView image = new ImageView(rgb, Width, Height, PixelFormat.Rgb8), other = new ImageView(changed, Width, Height, PixelFormat.Rgb8);
        foreach (Region region in new[] { new Region(mask), new Region(20, 10, Width - 50, Height - 25),
                                          new Region(20, 10, Width - 50, Height - 25, mask) })
        {
            Result first = detector.Run(image, region: region), second = detector.Run(other, region: region);
            Expect(first.Score == second.Score && first.Map.Cast<float>().SequenceEqual(second.Map.Cast<float>()), "outside of a region");
            Expect(first.Score != expectedScore, "a region changes the score");
        }
        Throws<DetectorException>(() => detector.Run(image, region: new Region(0, 0, Width + 1, 1)), "does not hold the box", "a box");
        Throws<DetectorException>(() => detector.Run(image, region: new Region(new byte[1, 1])), "the mask has 1 x 1", "a mask");
        Same(detector, image, "without a region again");
    }

    static void Batches()
    {
        var image = new ImageView(rgb, Width, Height, PixelFormat.Rgb8);
        var half = new ImageView(rgb, Width, Height / 2, PixelFormat.Rgb8);
        using (Detector detector = Open(2))
        {
            Result[] results = detector.Run(new[] { image, half, image });
            Expect(results.Length == 3 && results[1].Map.GetLength(0) == Height / 2, "sizes of a batch");
            float alone = detector.Run(half).Score;
            Expect(Math.Abs(results[2].Score / expectedScore - 1) < 1e-5 && Math.Abs(results[1].Score / alone - 1) < 1e-5,
                   "scores of a batch");
            Expect(detector.Run(new ImageView[0]).Length == 0, "no images");
            var empty = new ImageView(rgb, 0, Height, PixelFormat.Rgb8);
            Throws<DetectorException>(() => detector.Run(new[] { image, empty }), "image 2", "an empty image");
        }
    }

    static void WhatTheFileSays(Detector detector)
    {
        Expect(detector.ModelWidth == 128 && detector.ModelHeight == 128, "the model's size");
        Expect(detector.Threshold == 0.25f && detector.PixelThreshold != null, "thresholds");
        Expect(detector.Run(new ImageView(rgb, Width, Height, PixelFormat.Rgb8)).Anomalous == (expectedScore >= 0.25f), "verdict");
        Expect(detector.Method == "efficientad" && detector.Maps == "both", "method and maps");
        Expect(detector.Metadata.Count > 3 && detector.Metadata["format"].StartsWith("efficientad", StringComparison.Ordinal)
               && !detector.Metadata.ContainsKey("nothing"), "metadata");
        using (var st = new Detector(In("model.safetensors"), new DetectorOptions { Maps = "st" }))
        {
            Expect(st.Maps == "st" && st.Threshold == null && st.ThresholdRule == null, "other maps");
            Expect(st.Run(new ImageView(rgb, Width, Height, PixelFormat.Rgb8)).Anomalous == null, "no verdict");
        }
    }

    static void Errors(Detector detector)
    {
        Throws<DetectorException>(() => new Detector("nothing"), "nothing: cannot open", "no file");
        Throws<DetectorException>(() => new Detector("ä/ö"), "ä/ö: cannot open", "names in UTF-8");
        Throws<DetectorException>(() => new Detector(rgb), "the model in memory", "no model in memory");
        Throws<DetectorException>(() => new Detector(new byte[0]), "", "an empty model");
        Throws<ArgumentException>(() => new Detector("a\0b"), "0", "a 0 in a name");
        Throws<ArgumentNullException>(() => new Detector((string)null), "path", "no name");
        foreach (var options in new[] { new DetectorOptions { Threads = -1 }, new DetectorOptions { Batch = -1 },
                                        new DetectorOptions { MaxPixels = -1 }, new DetectorOptions { Device = "tpu" },
                                        new DetectorOptions { Precision = "fp8" }, new DetectorOptions { Maps = "x" } })
            Throws<DetectorException>(() => new Detector(In("model.safetensors"), options), "", "wrong options");
        Throws<ArgumentException>(() => new ImageView(rgb, Width, Height + 1, PixelFormat.Rgb8), "takes bytes 0 to 7379", "too few bytes");
        Throws<ArgumentException>(() => new ImageView(rgb, Width, Height, PixelFormat.Rgb8, -3 * Width), "bytes -7020", "before the array");
        Throws<ArgumentException>(() => new ImageView(rgb, Width, 40, PixelFormat.Rgb8, 3 * Width + 1), "takes", "a stride too far");
        Throws<ArgumentException>(() => new ImageView(rgb, 65535, 65535, PixelFormat.Rgba8), "takes", "a large size");
        Throws<ArgumentException>(() => new ImageView(rgb, Width, Height, (PixelFormat)9), "format", "a wrong format");
        Throws<DetectorException>(() => detector.Run(new ImageView(IntPtr.Zero, 1, 1, PixelFormat.Rgb8)), "", "no address");
        Throws<DetectorException>(() => detector.Run(new ImageView(rgb, Width, Height, PixelFormat.Rgb8, 5)), "stride", "rows that overlap");
        Throws<DetectorException>(() => detector.Run(new ImageView(rgb, Width, Height, PixelFormat.Rgb8, white: 9)), "white", "a white of rgb");
        Same(detector, new ImageView(rgb, Width, Height, PixelFormat.Rgb8), "after errors");
        Detector closed = Open();
        closed.Dispose();
        closed.Dispose();
        Throws<ObjectDisposedException>(() => closed.Run(new ImageView(rgb, Width, Height, PixelFormat.Rgb8)), "", "a closed detector");
    }

    static void Threads()
    {
        var wrong = 0;
        var threads = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            using (Detector detector = Open())
                for (int i = 0; i < 10; i++)
                    if (detector.Run(new ImageView(rgb, Width, Height, PixelFormat.Rgb8)).Score != expectedScore)
                        Interlocked.Increment(ref wrong);
        })).ToArray();
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Expect(wrong == 0, "two detectors in two threads");
        byte[] file = File.ReadAllBytes(In("model.safetensors"));
        var from_memory = new Detector(file);
        Array.Clear(file, 0, file.Length);
        Same(from_memory, new ImageView(rgb, Width, Height, PixelFormat.Rgb8), "from memory");
        from_memory.Dispose();
    }

    // Detectors that nobody closed are closed, and none of their calls keeps memory.
    static void Memory()
    {
        long[] resident = new long[2];
        for (int i = 0; i < 60; i++)
        {
            Open().Run(new ImageView(rgb, Width, Height, PixelFormat.Rgb8), MapSize.None);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Process process = Process.GetCurrentProcess();
            if (i == 19) resident[0] = process.WorkingSet64;
            if (i == 59) resident[1] = process.WorkingSet64;
        }
        Console.WriteLine("60 detectors: {0:f1} MB after 20, {1:f1} MB at the end", resident[0] / 1e6, resident[1] / 1e6);
        // One alone holds 31 MB of weights; the C library's heap and mono's come and go by 30 MB.
        Expect(resident[1] - resident[0] < 1e8, "memory grows");
    }

    static int Main(string[] arguments)
    {
        folder = arguments[0];
        rgb = File.ReadAllBytes(In("pixels"));
        expectedScore = float.Parse(File.ReadAllText(In("score")), CultureInfo.InvariantCulture);
        expectedMap = new float[Height, Width];
        Buffer.BlockCopy(File.ReadAllBytes(In("map")), 0, expectedMap, 0, 4 * Width * Height);
        using (Detector detector = Open())
        {
            Formats(detector);
            Gray(detector);
            Maps(detector);
            Regions(detector);
            WhatTheFileSays(detector);
            Errors(detector);
        }
        Batches();
        Threads();
        Memory();
        using (var bare = new Detector(In("bare.safetensors")))
            Expect(bare.Threshold == null, "a model without a threshold");
        Console.WriteLine(failures + " failures");
        return failures > 0 ? 1 : 0;
    }
}
