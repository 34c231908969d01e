// EfficientAD inference for .NET: efficientad.h with Dispose() and exceptions, in one file for C# 7 and .NET Standard 2.0.
//
//     using (var detector = new Detector("model.safetensors", new DetectorOptions { Threads = 4 }))
//     {
//         Result result = detector.Run(new ImageView(pixels, width, height, PixelFormat.Bgr8));
//         if (result.Anomalous == true) Reject(result.Map);
//     }
//
// Needs libefficientad.so, or efficientad.dll, where the system looks for libraries. What the library says of threads,
// formats, scores and maps is in efficientad.h.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace EfficientAD
{
    /// <summary>How pixels lie in memory, named in the order of their bytes; alpha is not looked at.</summary>
    public enum PixelFormat { Rgb8 = 0, Bgr8 = 1, Rgba8 = 2, Bgra8 = 3, Gray8 = 4, Gray16 = 5 }

    /// <summary>The size of anomaly maps: the image's, or the model's, which is not resized.</summary>
    public enum MapSize { OfImage = 0, OfModel = 1, None = 2 }

    /// <summary>What the library refused: a line with file, value and cure.</summary>
    public sealed class DetectorException : Exception
    {
        internal DetectorException(int status, string message) : base(message) { Status = status; }

        /// <summary>The status of the C library, positive.</summary>
        public int Status { get; }
    }

    /// <summary>As EadDetectorOptions; null and 0 are the defaults.</summary>
    public sealed class DetectorOptions
    {
        /// <summary>"cpu", "cuda" or "cuda:1".</summary>
        public string Device { get; set; }
        /// <summary>"fp32", "tf32", "bf16", "fp16" or "auto".</summary>
        public string Precision { get; set; }
        /// <summary>Of EfficientAD "both", "st" or "ae"; null: as trained.</summary>
        public string Maps { get; set; }
        /// <summary>Most pixels of an image; 0: 16,384 x 16,384.</summary>
        public long MaxPixels { get; set; }
        /// <summary>CPU threads of this detector; 0: one a core.</summary>
        public int Threads { get; set; }
        /// <summary>Images that go through the network at once; 0: 1.</summary>
        public int Batch { get; set; }
    }

    /// <summary>What a detector says of an image.</summary>
    public sealed class Result
    {
        internal Result(float score, bool? anomalous, float[,] map) { Score = score; Anomalous = anomalous; Map = map; }

        /// <summary>Higher is more anomalous; what the threshold is for.</summary>
        public float Score { get; }
        /// <summary>Whether the score reaches the threshold; null where the model has none.</summary>
        public bool? Anomalous { get; }
        /// <summary>[row, column], higher where the image looks unlike good ones; null where none was asked for.</summary>
        public float[,] Map { get; }
    }

    /// <summary>An image of the caller's, read during a call only.</summary>
    /// <remarks>stride: bytes from one row to the next, 0: rows are contiguous; negative if the top row is stored last.
    /// offset: bytes of the array before the top row. white: of Gray16 the value that counts as white, such as 4095 of a
    /// camera of 12 bits; 0: as in training.</remarks>
    public sealed class ImageView
    {
        private readonly Array array; // null: the address is the caller's
        private readonly int offset;
        private NativeView native;

        /// <summary>Of bytes, in any format; Gray16 in the machine's order.</summary>
        public ImageView(byte[] pixels, int width, int height, PixelFormat format, int stride = 0, int offset = 0,
                         int white = 0)
            : this((Array)pixels, width, height, format, stride, offset, white) { }

        /// <summary>Of numbers of 16 bits, gray; stride and offset are in bytes.</summary>
        public ImageView(ushort[] pixels, int width, int height, int stride = 0, int offset = 0, int white = 0)
            : this(pixels, width, height, PixelFormat.Gray16, stride, offset, white) { }

        /// <summary>Of memory that stays the caller's, such as Scan0 and Stride of a locked Bitmap, whose 24 bits are
        /// Bgr8. Nothing can check that it is as large as said.</summary>
        public ImageView(IntPtr pixels, int width, int height, PixelFormat format, int stride = 0, int white = 0)
        {
            native = new NativeView
            {
                size = NativeSize<NativeView>.Value, pixels = pixels, width = width, height = height,
                stride = new IntPtr(stride != 0 ? stride : RowSize(width, format)), format = (int)format, white = white
            };
        }

        private ImageView(Array pixels, int width, int height, PixelFormat format, int stride, int offset, int white)
            : this(IntPtr.Zero, width, height, format, stride, white)
        {
            array = pixels ?? throw new ArgumentNullException(nameof(pixels));
            this.offset = offset;
            if (width < 1 || height < 1) return; // the library says so
            long top = offset, bottom = top + (height - 1) * native.stride.ToInt64();
            long first = Math.Min(top, bottom), end = Math.Max(top, bottom) + RowSize(width, format);
            if (first < 0 || end > Buffer.ByteLength(array))
                throw new ArgumentException($"an image of {width}x{height} {format} with a stride of {native.stride} from byte "
                                            + $"{offset} on takes bytes {first} to {end - 1}; the array has "
                                            + $"{Buffer.ByteLength(array)}", nameof(pixels));
        }

        private static long RowSize(int width, PixelFormat format)
        {
            int[] bytes = { 3, 3, 4, 4, 1, 2 };
            if (format < 0 || (int)format >= bytes.Length) throw new ArgumentOutOfRangeException(nameof(format));
            return (long)bytes[(int)format] * width;
        }

        internal NativeView Pin(Pins pins)
        {
            NativeView view = native;
            if (array != null) view.pixels = new IntPtr(pins.Address(array).ToInt64() + offset);
            return view;
        }

        /// <summary>The map for this image; null where the library is going to refuse its size.</summary>
        internal float[,] NewMap()
        {
            bool possible = native.width > 0 && native.height > 0 && native.width < 65536 && native.height < 65536;
            return possible ? new float[native.height, native.width] : null;
        }
    }

    /// <summary>A region of interest of a call, which narrows the model's own: a box, a mask, or both. What is outside moves
    /// nothing.</summary>
    public sealed class Region
    {
        private readonly byte[,] mask;
        private readonly int x, y, width, height;

        /// <summary>A box, in pixels of the images.</summary>
        public Region(int x, int y, int width, int height, byte[,] mask = null)
        {
            if (width < 1) throw new ArgumentOutOfRangeException(nameof(width));
            this.x = x;
            this.y = y;
            this.width = width;
            this.height = height;
            this.mask = mask;
        }

        /// <summary>A mask [row, column] of the images' size; nonzero is inspected.</summary>
        public Region(byte[,] mask) { this.mask = mask ?? throw new ArgumentNullException(nameof(mask)); }

        internal void Put(ref NativeRunOptions options, Pins pins)
        {
            options.box_x = x;
            options.box_y = y;
            options.box_width = width;
            options.box_height = height;
            options.mask = pins.Address(mask);
            options.mask_height = mask == null ? 0 : mask.GetLength(0);
            options.mask_width = mask == null ? 0 : mask.GetLength(1);
        }
    }

    /// <summary>A model file, opened. It works in one thread at a time, any thread, and refuses a second one; several work
    /// side by side.</summary>
    public sealed class Detector : IDisposable
    {
        private readonly DetectorHandle handle;

        /// <summary>Opens the file that `efficientad train` made.</summary>
        public Detector(string path, DetectorOptions options = null)
        {
            byte[] name = Utf8(path ?? throw new ArgumentNullException(nameof(path)));
            using (var pins = new Pins())
            {
                NativeOptions given = Given(options, pins);
                Check(Native.ead_detector_open_with(name, ref given, out handle));
            }
        }

        /// <summary>Opens the bytes of such a file, which are not needed afterwards.</summary>
        public Detector(byte[] model, DetectorOptions options = null)
        {
            if (model == null) throw new ArgumentNullException(nameof(model));
            using (var pins = new Pins())
            {
                NativeOptions given = Given(options, pins);
                Check(Native.ead_detector_open_memory(model, new UIntPtr((uint)model.Length), ref given, out handle));
            }
        }

        /// <summary>Frees the detector, once no call uses it any more.</summary>
        public void Dispose() { handle.Dispose(); }

        /// <summary>Scores an image.</summary>
        public Result Run(ImageView image, MapSize map = MapSize.OfImage, Region region = null)
        {
            return Run(new[] { image }, map, region)[0];
        }

        /// <summary>Scores images of any sizes and formats, as many at once as Batch says.</summary>
        public Result[] Run(IReadOnlyList<ImageView> images, MapSize map = MapSize.OfImage, Region region = null)
        {
            int count = images.Count;
            var views = new NativeView[count];
            var scores = new float[count];
            var maps = new float[count][,];
            var addresses = new IntPtr[count];
            var options = new NativeRunOptions
            {
                size = NativeSize<NativeRunOptions>.Value, map_size = map == MapSize.None ? 0 : (int)map
            };
            if (count == 0) return new Result[0];
            using (var pins = new Pins())
            {
                region?.Put(ref options, pins);
                for (int i = 0; i < count; i++)
                {
                    views[i] = images[i].Pin(pins);
                    if (map == MapSize.OfModel) maps[i] = new float[ModelHeight, ModelWidth];
                    else if (map != MapSize.None) maps[i] = images[i].NewMap();
                    addresses[i] = pins.Address(maps[i]);
                }
                Check(Native.ead_detector_run_images(handle, views, count, ref options, addresses, scores));
            }
            float? threshold = Threshold;
            var results = new Result[count];
            for (int i = 0; i < count; i++)
                results[i] = new Result(scores[i], threshold == null ? (bool?)null : scores[i] >= threshold, maps[i]);
            return results;
        }

        /// <summary>Size at which the model looks at images.</summary>
        public int ModelWidth { get { return Native.ead_detector_model_width(handle); } }
        /// <summary>Size at which the model looks at images.</summary>
        public int ModelHeight { get { return Native.ead_detector_model_height(handle); } }
        /// <summary>Scores from it on are anomalous; null where the model has none for these maps.</summary>
        public float? Threshold { get { return OrNull(Native.ead_detector_threshold(handle)); } }
        /// <summary>Map values from it on belong to regions of defects.</summary>
        public float? PixelThreshold { get { return OrNull(Native.ead_detector_pixel_threshold(handle)); } }
        /// <summary>What the threshold was chosen from and what follows for the rate of false alarms, or null.</summary>
        public string ThresholdRule { get { return Read(Native.ead_detector_threshold_rule); } }
        /// <summary>"efficientad", "patchcore", ...</summary>
        public string Method { get { return Read(Native.ead_detector_method); } }
        /// <summary>Which of the method's maps are used: "both", "st" or "ae"; "" of methods with one.</summary>
        public string Maps { get { return Read(Native.ead_detector_maps); } }

        /// <summary>All texts of the model file: "config" (YAML), "version", "steps", "seed", ...</summary>
        public IReadOnlyDictionary<string, string> Metadata
        {
            get
            {
                var texts = new Dictionary<string, string>();
                for (int i = 0; i < Native.ead_detector_metadata_count(handle); i++)
                {
                    string key = Read(detector => Native.ead_detector_metadata_key(detector, i));
                    texts[key] = Read(detector => Native.ead_detector_metadata(detector, Utf8(key)));
                }
                return texts;
            }
        }

        // The text belongs to the detector, which must not go before the text is read.
        private string Read(Func<DetectorHandle, IntPtr> text)
        {
            bool held = false;
            try
            {
                handle.DangerousAddRef(ref held);
                return Text(text(handle));
            }
            finally
            {
                if (held) handle.DangerousRelease();
            }
        }

        private static NativeOptions Given(DetectorOptions options, Pins pins)
        {
            options = options ?? new DetectorOptions();
            return new NativeOptions
            {
                size = NativeSize<NativeOptions>.Value, device = pins.Address(Utf8(options.Device)),
                precision = pins.Address(Utf8(options.Precision)), maps = pins.Address(Utf8(options.Maps)),
                max_pixels = options.MaxPixels, threads = options.Threads, batch = options.Batch
            };
        }

        private static void Check(int status)
        {
            if (status != 0) throw new DetectorException(status, Text(Native.ead_error_message()));
        }

        private static float? OrNull(float value) { return float.IsNaN(value) ? (float?)null : value; }

        private static byte[] Utf8(string text)
        {
            if (text != null && text.IndexOf('\0') >= 0) throw new ArgumentException("a text with the character 0");
            return text == null ? null : Encoding.UTF8.GetBytes(text + "\0");
        }

        private static string Text(IntPtr address)
        {
            if (address == IntPtr.Zero) return null;
            int length = 0;
            while (Marshal.ReadByte(address, length) != 0) length++;
            var bytes = new byte[length];
            Marshal.Copy(address, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }
    }

    // Arrays that stay where they are until it is disposed of.
    internal sealed class Pins : IDisposable
    {
        private readonly List<GCHandle> handles = new List<GCHandle>();

        internal IntPtr Address(Array array)
        {
            if (array == null) return IntPtr.Zero;
            handles.Add(GCHandle.Alloc(array, GCHandleType.Pinned));
            return handles[handles.Count - 1].AddrOfPinnedObject();
        }

        public void Dispose()
        {
            foreach (GCHandle handle in handles) handle.Free();
        }
    }

    internal sealed class DetectorHandle : SafeHandle
    {
        internal DetectorHandle() : base(IntPtr.Zero, true) { }

        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

        protected override bool ReleaseHandle()
        {
            Native.ead_detector_close(handle);
            return true;
        }
    }

    // The structs and functions of efficientad.h.
    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeOptions
    {
        internal UIntPtr size;
        internal IntPtr device, precision, maps;
        internal long max_pixels;
        internal int threads, batch;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeView
    {
        internal UIntPtr size;
        internal IntPtr pixels;
        internal int width, height;
        internal IntPtr stride;
        internal int format, white;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeRunOptions
    {
        internal UIntPtr size;
        internal int map_size;
        internal IntPtr mask, mask_stride;
        internal int mask_width, mask_height, box_x, box_y, box_width, box_height;
    }

    internal static class NativeSize<T>
    {
        internal static readonly UIntPtr Value = new UIntPtr((uint)Marshal.SizeOf(typeof(T)));
    }

    internal static class Native
    {
        private const string Library = "efficientad";
        private const CallingConvention C = CallingConvention.Cdecl;

        [DllImport(Library, CallingConvention = C)]
        internal static extern int ead_detector_open_with(byte[] path, ref NativeOptions options, out DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int ead_detector_open_memory(byte[] bytes, UIntPtr size, ref NativeOptions options,
                                                            out DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern void ead_detector_close(IntPtr detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int ead_detector_run_images(DetectorHandle detector, [In] NativeView[] images, int count,
                                                           ref NativeRunOptions options, [In] IntPtr[] maps,
                                                           [In, Out] float[] scores);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int ead_detector_model_width(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int ead_detector_model_height(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern float ead_detector_threshold(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern float ead_detector_pixel_threshold(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr ead_detector_threshold_rule(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr ead_detector_method(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr ead_detector_maps(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr ead_detector_metadata(DetectorHandle detector, byte[] key);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int ead_detector_metadata_count(DetectorHandle detector);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr ead_detector_metadata_key(DetectorHandle detector, int index);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr ead_error_message();
    }
}
