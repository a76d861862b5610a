using System.Diagnostics;
using Candela.Images;
using Candela.Images.Files;
using Candela.Model;

namespace Candela.Build.Contexts;

/// <summary>An archive that ADD unpacks: a tar, plain or compressed by gzip, bzip2, xz or zstd.</summary>
internal sealed class LocalArchive : IDisposable
{
    private readonly string _path;

    private LocalArchive(string path, FileTree files)
    {
        _path = path;
        Files = files;
    }

    /// <summary>What is in it.</summary>
    public FileTree Files { get; }

    /// <summary>Opens a file of a tree as an archive; null when it is none.</summary>
    /// <param name="source">The tree.</param>
    /// <param name="file">The file.</param>
    /// <param name="temporary">Gives paths of temporary files.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<LocalArchive?> OpenAsync(FileTree source, FileNode file, Func<string> temporary, CancellationToken cancellationToken)
    {
        string path = temporary();
        try
        {
            source.ExtractFile(file, path, cancellationToken);
            if (Decompressor(path) is { } program)
            {
                string packed = path;
                path = temporary();
                try
                {
                    if (!await DecompressAsync(program, packed, path, cancellationToken).ConfigureAwait(false))
                    {
                        File.Delete(path);
                        return null;
                    }
                }
                finally
                {
                    File.Delete(packed);
                }
            }

            FileTree files = FileTree.ReadTar(path, new ImageLimits(), static _ => false, cancellationToken);
            if (!files.IsEmpty)
                return new LocalArchive(path, files);
            File.Delete(path);
            return null;
        }
        catch (CandelaException e) when (e.Code == ErrorCode.ImageInvalid)
        {
            File.Delete(path);
            return null; // no tar: it is copied as it is
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    public void Dispose()
    {
        Files.Dispose();
        File.Delete(_path);
    }

    private static string? Decompressor(string path)
    {
        Span<byte> magic = stackalloc byte[6];
        using FileStream file = File.OpenRead(path);
        file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        return magic switch
        {
            [(byte)'B', (byte)'Z', (byte)'h', ..] => "bzip2",
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => "xz",
            _ => null,
        };
    }

    /// <summary>Decompresses in a process that may do nothing but read its input and write its output: it parses strangers' data.</summary>
    private static async Task<bool> DecompressAsync(string program, string from, string to, CancellationToken cancellationToken)
    {
        const string script = "exec <\"$1\" >\"$2\"; ulimit -c 0 -n 16; exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \"$0\" -dc";
        ProcessStartInfo start = new("/bin/sh", ["-c", script, program, from, to]) { RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        using Process process = Process.Start(start) ?? throw new CandelaException(ErrorCode.Internal, "cannot start /bin/sh");
        using CancellationTokenRegistration kill = cancellationToken.Register(process.Kill);
        string errors = await process.StandardError.ReadToEndAsync(CancellationToken.None).ConfigureAwait(false);
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return process.ExitCode == 127
            ? throw new CandelaException(ErrorCode.NotSupported, $"{program} is needed to unpack an archive and is not installed here: apt-get install {(program == "xz" ? "xz-utils" : program)} ({errors.Trim()})")
            : process.ExitCode == 0;
    }
}
