// Scores images by the C# binding.
//
//     mcs ScoreImages.cs EfficientAD.cs          (models/csharp/EfficientAD.cs; or a project with the NuGet package)
//     mono ScoreImages.exe model.safetensors a.ppm b.pgm
//
// Reads binary PPM (colour) and PGM (gray) of 8 bits. Prints a line for each image with its score and where the map is
// highest. Exit code 0: all are good; 1: some are anomalous; 2: an error.
using System;
using System.IO;
using System.Text.RegularExpressions;
using EfficientAD;

static class ScoreImages
{
    // "P5" or "P6", width, height, 255, one white space, pixels.
    static ImageView ReadImage(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        string start = System.Text.Encoding.ASCII.GetString(bytes, 0, Math.Min(bytes.Length, 64));
        Match head = Regex.Match(start, @"^P([56])\s+(\d{1,5})\s+(\d{1,5})\s+255\s");
        if (!head.Success) throw new InvalidDataException(path + ": no binary PPM or PGM of 8 bits");
        var format = head.Groups[1].Value == "6" ? PixelFormat.Rgb8 : PixelFormat.Gray8;
        return new ImageView(bytes, int.Parse(head.Groups[2].Value), int.Parse(head.Groups[3].Value), format,
                             offset: head.Length);
    }

    static string HighestOf(float[,] map)
    {
        int row = 0, column = 0;
        for (int y = 0; y < map.GetLength(0); y++)
            for (int x = 0; x < map.GetLength(1); x++)
                if (map[y, x] > map[row, column]) { row = y; column = x; }
        return column + "," + row;
    }

    static int Main(string[] arguments)
    {
        if (arguments.Length < 2)
        {
            Console.Error.WriteLine("usage: ScoreImages.exe MODEL IMAGE.ppm...");
            return 2;
        }
        int anomalous = 0;
        try
        {
            using (var detector = new Detector(arguments[0], new DetectorOptions { Threads = 2 }))
                for (int i = 1; i < arguments.Length; i++)
                {
                    Result result = detector.Run(ReadImage(arguments[i]));
                    Console.WriteLine(FormattableString.Invariant(
                        $"{arguments[i]} {result.Score:g6} highest at {HighestOf(result.Map)}")
                        + (result.Anomalous == true ? " anomalous" : " good"));
                    if (result.Anomalous == true) anomalous++;
                }
        }
        catch (Exception error) when (error is DetectorException || error is IOException || error is ArgumentException
                                      || error is InvalidDataException)
        {
            Console.Error.WriteLine(error.Message);
            return 2;
        }
        return anomalous > 0 ? 1 : 0;
    }
}
