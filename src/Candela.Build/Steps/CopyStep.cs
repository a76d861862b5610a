using System.Globalization;
using System.Text;
using Candela.Build.Contexts;
using Candela.Build.Dockerfiles;
using Candela.Images.Files;
using Candela.Model;

namespace Candela.Build.Steps;

/// <summary>COPY and ADD: makes a layer of files of the context, of another stage or image, of the Dockerfile itself, or from an address.</summary>
internal sealed class CopyStep(Instruction instruction, StageState stage, IBuildHost host, TimeProvider time)
{
    private const UnixFileMode FetchedMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private bool IsAdd => instruction.Keyword == "ADD";

    /// <summary>Writes the layer.</summary>
    /// <param name="source">Where files are copied from.</param>
    /// <param name="isContext">It is the context.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The layer, to be disposed, and how the history tells of it.</returns>
    public async Task<(LayerBuilder Layer, string Told)> RunAsync(FileTree source, bool isContext, CancellationToken cancellationToken)
    {
        foreach ((string name, _) in instruction.Flags)
        {
            if (name is not ("from" or "chown" or "chmod") || (IsAdd && name == "from"))
                throw Fail($"the --{DockerfileException.Shorten(name)} option is not supported: it needs BuildKit");
        }

        IReadOnlyList<string> words = Words.ParseList(instruction.Arguments) ?? Words.SplitPlainly(instruction.Arguments);
        IReadOnlyList<string> expanded = [.. words.Select(word => IsHeredoc(word) ? word : stage.Substitution.Expand(word))];
        if (expanded.Count < 2)
            throw DockerfileException.Syntax(instruction.Line, $"{instruction.Keyword} requires at least two arguments, but only one was provided. Destination could not be determined.");
        string destination = expanded[^1];
        LayerBuilder layer = new(stage.Files!, host.NewTemporaryPath(), time.GetUtcNow());
        try
        {
            FileOwner? owner = instruction.Flag("chown") is { } chown ? OwnerLookup.Find(stage.Substitution.Expand(chown), stage.Files!, cancellationToken)
                : isContext ? default(FileOwner) : null; // what comes from another image keeps its owners
            int? mode = instruction.Flag("chmod") is { } chmod ? Mode(stage.Substitution.Expand(chmod)) : null;
            CopyStyle style = new() { Owner = owner, Mode = mode };
            string kind = await CopyAsync(layer, source, isContext, [.. expanded.Take(expanded.Count - 1)], destination, style, cancellationToken).ConfigureAwait(false);
            string digest = layer.Finish()["sha256:".Length..];
            return (layer, $"{instruction.Keyword} {kind}:{digest} in {destination} ");
        }
        catch (CandelaException e) when (e.Code == ErrorCode.InvalidArgument && !e.Message.StartsWith(instruction.Keyword, StringComparison.Ordinal))
        {
            layer.Dispose();
            throw Fail(e.Message);
        }
        catch
        {
            layer.Dispose();
            throw;
        }
    }

    private async Task<string> CopyAsync(
        LayerBuilder layer, FileTree source, bool isContext, IReadOnlyList<string> sources, string destination, CopyStyle style, CancellationToken cancellationToken)
    {
        string absolute = destination.StartsWith('/') ? destination : $"{stage.Configuration.WorkingDirectory}/{destination}";
        string target = stage.Files!.Resolve(absolute);
        bool isFolder = destination.EndsWith('/') || destination is "." or ".." || destination.EndsWith("/.", StringComparison.Ordinal) || stage.Files.Find(absolute) is { IsFolder: true };
        List<(string Shown, FileNode? Node, Heredoc? Heredoc, Uri? Address)> found = [];
        foreach (string one in sources)
        {
            if (instruction.Heredocs.FirstOrDefault(heredoc => IsHeredocOf(one, heredoc)) is { } heredoc)
                found.Add((heredoc.Name, null, heredoc, null));
            else if (IsAdd && Uri.TryCreate(one, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https")
                found.Add((one, null, null, new Uri(one)));
            else
                found.AddRange(Find(source, one, isContext).Select(node => (one, (FileNode?)node, (Heredoc?)null, (Uri?)null)));
        }

        if (found.Count == 0)
            throw Fail("no source files were specified");
        if (found.Count > 1 && !destination.EndsWith('/') && destination is not ("." or ".."))
            throw Fail($"When using {instruction.Keyword} with more than one source file, the destination must be a directory and end with a /");

        foreach ((string shown, FileNode? node, Heredoc? heredoc, Uri? address) in found)
        {
            FileOwner owner = style.Owner ?? default;
            if (heredoc is not null)
            {
                string content = heredoc.Expands ? stage.Substitution.ExpandHeredoc(heredoc.Content) : heredoc.Content;
                layer.AddFile(Into(heredoc.Name), Encoding.UTF8.GetBytes(content), style.Mode ?? 0b110_100_100, owner, null);
            }
            else if (address is not null)
            {
                string name = Uri.UnescapeDataString(address.Segments[^1]).Trim('/');
                if (isFolder && name.Length == 0)
                    throw Fail($"cannot determine filename from url: {DockerfileException.Shorten(shown)}");
                FetchedFile fetched = await host.FetchAsync(address, cancellationToken).ConfigureAwait(false);
                layer.AddFile(Into(name), fetched.Content, style.Mode ?? (int)FetchedMode, owner, fetched.ModifiedAt);
            }
            else if (node!.IsFolder)
            {
                layer.Copy(source, node, target, style, cancellationToken);
            }
            else if (IsAdd && node.IsRegular && await LocalArchive.OpenAsync(source, node, host.NewTemporaryPath, cancellationToken).ConfigureAwait(false) is { } archive)
            {
                using (archive)
                    layer.Copy(archive.Files, archive.Files.Root, target, style with { Owner = instruction.Flag("chown") is null ? null : style.Owner }, cancellationToken);
            }
            else
            {
                layer.Copy(source, node, Into(System.IO.Path.GetFileName(shown.TrimEnd('/')) is { Length: > 0 } last && shown.AsSpan().IndexOfAny('*', '?', '[') < 0 ? last : node.Name), style, cancellationToken);
            }
        }

        return found.Count > 1 ? "multi" : found[0].Node is { IsFolder: true } ? "dir" : "file";

        string Into(string name) => isFolder ? stage.Files.Resolve($"/{target}/{name}") : target;
    }

    private IReadOnlyList<FileNode> Find(FileTree source, string path, bool isContext)
    {
        string cleaned = path.TrimStart('/');
        if (isContext && LeadsOut(cleaned))
            throw Fail($"forbidden path outside the build context: {DockerfileException.Shorten(path)} ()");
        if (cleaned.AsSpan().IndexOfAny('*', '?', '[') >= 0)
            return [.. source.Match(cleaned).Select(source.Find).OfType<FileNode>()];
        return [source.Find(cleaned) ?? throw Fail(
            isContext
                ? $"file not found in build context or excluded by .dockerignore: stat {DockerfileException.Shorten(cleaned)}: file does not exist"
                : $"stat {DockerfileException.Shorten(cleaned)}: file does not exist")];
    }

    private static bool LeadsOut(string path)
    {
        int depth = 0;
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            depth += part switch { "." => 0, ".." => -1, _ => 1 };
            if (depth < 0)
                return true;
        }

        return false;
    }

    private bool IsHeredoc(string word) => instruction.Heredocs.Any(heredoc => IsHeredocOf(word, heredoc));

    private static bool IsHeredocOf(string word, Heredoc heredoc) =>
        word.StartsWith("<<", StringComparison.Ordinal) && word[2..].TrimStart('-').Trim('"', '\'') == heredoc.Name;

    private int Mode(string text)
    {
        if (text.Length is > 0 and <= 5 && text.All(static c => c is >= '0' and <= '7'))
        {
            int mode = Convert.ToInt32(text, 8);
            if (mode <= 0b111_111_111_111)
                return mode;
        }

        throw Fail(string.Create(CultureInfo.InvariantCulture, $"invalid chmod parameter: '{DockerfileException.Shorten(text)}'. it should be octal string and between 0 and 07777"));
    }

    private CandelaException Fail(string reason) => DockerfileException.Invalid($"{instruction.Keyword} failed: {reason}");
}
