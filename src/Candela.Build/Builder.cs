using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Candela.Build.Contexts;
using Candela.Build.Dockerfiles;
using Candela.Build.Steps;
using Candela.Images;
using Candela.Images.Files;
using Candela.Model;

namespace Candela.Build;

/// <summary>
/// Builds an image of a Dockerfile, step by step, and tells of it as Docker's classic builder does. Each step is an image of its own, found
/// again by what it was built on and what it did. One build; make another for the next.
/// </summary>
public sealed class Builder : IDisposable
{
    private const int ShortIdLength = 12;
    private const int IgnoreFileBytesMaximum = 1 << 20;

    private readonly IBuildHost _host;
    private readonly IBuildOutput _output;
    private readonly TimeProvider _time;
    private readonly BuildRequest _request;
    private readonly Dockerfile _file;
    private readonly FileTree _context;
    private readonly List<StageState> _stages = [];
    private readonly List<(string Name, string? Value)> _globalArguments = [];
    private readonly HashSet<string> _consumed = [];
    private readonly CacheSources _cacheSources;
    private int _step;
    private int _steps;

    private Builder(IBuildHost host, IBuildOutput output, TimeProvider time, BuildRequest request, Dockerfile file, FileTree context)
    {
        (_host, _output, _time, _request, _file, _context) = (host, output, time, request, file, context);
        _cacheSources = new CacheSources(host, request.CacheFrom);
    }

    /// <summary>Reads the Dockerfile and looks over it.</summary>
    /// <exception cref="CandelaException">InvalidArgument, ImageInvalid.</exception>
    public static Builder Open(IBuildHost host, IBuildOutput output, TimeProvider time, BuildRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(request);
        using FileTree whole = FileTree.ReadTar(request.ContextPath, new ImageLimits(), static _ => false, cancellationToken);
        byte[] content = whole.ReadFile(request.DockerfilePath, DockerfileParser.BytesMaximum, cancellationToken)
            ?? throw DockerfileException.Invalid($"Cannot locate specified Dockerfile: {DockerfileException.Shorten(request.DockerfilePath)}");
        Dockerfile file = DockerfileParser.Parse(content);
        byte[]? ignored = whole.ReadFile(request.DockerfilePath + ".dockerignore", IgnoreFileBytesMaximum, cancellationToken) ?? whole.ReadFile(".dockerignore", IgnoreFileBytesMaximum, cancellationToken);
        IgnoreFile? ignoreFile = ignored is null ? null : IgnoreFile.Parse(Encoding.UTF8.GetString(ignored));
        FileTree context = FileTree.ReadTar(request.ContextPath, new ImageLimits(), path => ignoreFile?.Excludes(path) ?? false, cancellationToken);
        try
        {
            Builder builder = new(host, output, time, request, file, context);
            builder.Plan();
            return builder;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>Builds.</summary>
    /// <returns>The image's id.</returns>
    /// <exception cref="BuildCommandException">A command failed.</exception>
    /// <exception cref="CandelaException">Anything else failed.</exception>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        foreach (Instruction instruction in _file.Instructions.Take(_steps))
            await StepAsync(instruction, instruction.Text, cancellationToken).ConfigureAwait(false);
        if (_request.Labels.Count > 0)
            await LabelAsync(cancellationToken).ConfigureAwait(false);
        string[] unused = [.. _request.BuildArguments.Keys.Where(name => !_consumed.Contains(name) && !StageState.PredefinedArguments.Contains(name)).Order(StringComparer.Ordinal)];
        if (unused.Length > 0)
            await SayAsync($"[Warning] One or more build-args [{string.Join(' ', unused)}] were not consumed\n", cancellationToken).ConfigureAwait(false);
        if (_stages[^1].Image is not { } image)
            throw DockerfileException.Invalid("No image was generated. Is your Dockerfile empty?");
        await _host.KeepBuiltAsync(image.Id, _request.Tags, cancellationToken).ConfigureAwait(false);
        return image.Id;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (StageState stage in _stages)
            stage.Dispose();
        _context.Dispose();
    }

    /// <summary>Finds out how far to build.</summary>
    private void Plan()
    {
        if (_file.Instructions.FirstOrDefault(static one => one.Keyword != "ARG") is not { } first || first.Keyword != "FROM")
            throw DockerfileException.Invalid("no build stage in current context");
        _steps = _file.Instructions.Count;
        if (_request.Target.Length == 0)
            return;
        List<(int At, string Name)> stages = [.. _file.Instructions.Select(static (one, i) => (one, i)).Where(static pair => pair.one.Keyword == "FROM").Select(static pair => (pair.i, StageName(pair.one)))];
        int wanted = stages.FindIndex(stage => stage.Name.Equals(_request.Target, StringComparison.OrdinalIgnoreCase));
        if (wanted < 0 && (!int.TryParse(_request.Target, NumberStyles.None, CultureInfo.InvariantCulture, out wanted) || wanted >= stages.Count))
            throw DockerfileException.Invalid($"failed to reach build target {DockerfileException.Shorten(_request.Target)} in Dockerfile");
        if (wanted + 1 < stages.Count)
            _steps = stages[wanted + 1].At;
    }

    private async Task StepAsync(Instruction instruction, string shown, CancellationToken cancellationToken)
    {
        _step++;
        await SayAsync($"Step {_step}/{_steps + (_request.Labels.Count > 0 ? 1 : 0)} : {shown}\n", cancellationToken).ConfigureAwait(false);
        if (_stages.Count == 0 && instruction.Keyword == "ARG")
        {
            DeclareGlobal(instruction);
            return;
        }

        await DispatchAsync(instruction, cancellationToken).ConfigureAwait(false);
        await SayAsync($" ---> {Short(_stages[^1].Image?.Id)}\n", cancellationToken).ConfigureAwait(false);
        if (instruction.Keyword == "FROM")
            await RunTriggersAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task DispatchAsync(Instruction instruction, CancellationToken cancellationToken)
    {
        switch (instruction.Keyword)
        {
            case "FROM":
                await FromAsync(instruction, cancellationToken).ConfigureAwait(false);
                break;
            case "ARG":
                await ArgumentAsync(instruction, cancellationToken).ConfigureAwait(false);
                break;
            case "RUN":
                await RunCommandAsync(instruction, cancellationToken).ConfigureAwait(false);
                break;
            case "COPY" or "ADD":
                await CopyAsync(instruction, cancellationToken).ConfigureAwait(false);
                break;
            case "WORKDIR":
                await WorkingDirectoryAsync(instruction, cancellationToken).ConfigureAwait(false);
                break;
            default:
                StageState stage = _stages[^1];
                (stage.Configuration, string told) = ConfigurationSteps.Apply(instruction, stage, _file.Escape);
                await CommitAsync(stage, $"{Nop(stage)}  {told}", null, cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    private async Task FromAsync(Instruction instruction, CancellationToken cancellationToken)
    {
        Substitution substitution = new(name => _globalArguments.LastOrDefault(argument => argument.Name == name).Value, _file.Escape);
        if (instruction.Flag("platform") is { } platform && substitution.Expand(platform) is not ("linux/amd64" or "linux" or "linux/x86_64" or ""))
            throw new CandelaException(ErrorCode.NotSupported, $"FROM --platform={DockerfileException.Shorten(platform)}: only linux/amd64 is built here");
        string[] words = instruction.Arguments.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 1 && !(words.Length == 3 && words[1].Equals("as", StringComparison.OrdinalIgnoreCase)))
            throw DockerfileException.Syntax(instruction.Line, "FROM requires either one argument, or three: FROM <source> [as <name>]");
        string name = substitution.Expand(words[0]);
        if (name.Length == 0)
            throw DockerfileException.Syntax(instruction.Line, $"base name ({DockerfileException.Shorten(words[0])}) should not be blank");
        if (_stages.Count > 0)
            _stages[^1].ForgetFiles();
        StageState stage = new(_stages.Count, StageName(instruction), _file.Escape);
        if (_stages.FirstOrDefault(known => known.Name.Length > 0 && known.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } earlier)
            stage.Image = earlier.Image;
        else if (name != "scratch")
            stage.Image = await _host.GetImageAsync(name, _request.PullsAlways, cancellationToken).ConfigureAwait(false);
        stage.Configuration = stage.Image?.Configuration ?? new ImageConfiguration { Environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] };
        if (stage.Image is not null && !stage.Configuration.Environment.Any(static variable => variable.StartsWith("PATH=", StringComparison.Ordinal)))
            stage.Configuration = stage.Configuration with { Environment = StageState.WithVariable(stage.Configuration.Environment, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") };
        stage.Author = stage.Image?.Author ?? "";
        foreach ((string argument, string? value) in _request.BuildArguments)
        {
            if (StageState.PredefinedArguments.Contains(argument))
                stage.SetArgument(argument, value);
        }

        _stages.Add(stage);
    }

    private async Task RunTriggersAsync(CancellationToken cancellationToken)
    {
        StageState stage = _stages[^1];
        IReadOnlyList<string> triggers = stage.Configuration.OnBuild;
        if (triggers.Count == 0)
            return;
        await SayAsync($"# Executing {triggers.Count} build trigger{(triggers.Count == 1 ? "" : "s")}\n", cancellationToken).ConfigureAwait(false);
        stage.Configuration = stage.Configuration with { OnBuild = [] };
        foreach (string trigger in triggers)
        {
            Instruction instruction = DockerfileParser.ParseLine(trigger);
            if (instruction.Keyword is "ONBUILD" or "FROM" or "MAINTAINER")
                throw DockerfileException.Invalid($"{instruction.Keyword} isn't allowed as an ONBUILD trigger");
            await DispatchAsync(instruction, cancellationToken).ConfigureAwait(false);
            await SayAsync($" ---> {Short(stage.Image?.Id)}\n", cancellationToken).ConfigureAwait(false);
        }
    }

    private void DeclareGlobal(Instruction instruction)
    {
        Substitution substitution = new(name => _globalArguments.LastOrDefault(argument => argument.Name == name).Value, _file.Escape);
        foreach ((string name, string? value) in Declarations(instruction, substitution))
            _globalArguments.Add((name, value));
    }

    private async Task ArgumentAsync(Instruction instruction, CancellationToken cancellationToken)
    {
        StageState stage = _stages[^1];
        foreach ((string name, string? value) in Declarations(instruction, stage.Substitution))
            stage.SetArgument(name, value ?? _globalArguments.LastOrDefault(argument => argument.Name == name).Value);
        await CommitAsync(stage, $"{Nop(stage)}  ARG {instruction.Arguments}", null, cancellationToken).ConfigureAwait(false);
    }

    private IEnumerable<(string Name, string? Value)> Declarations(Instruction instruction, Substitution substitution)
    {
        foreach (string word in Words.Split(instruction.Arguments, _file.Escape))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = substitution.Expand(equals < 0 ? word : word[..equals]);
            if (name.Length == 0)
                throw DockerfileException.Syntax(instruction.Line, "ARG names can not be blank");
            _consumed.Add(name);
            string? standard = equals < 0 ? null : substitution.Expand(word[(equals + 1)..]);
            yield return (name, _request.BuildArguments.TryGetValue(name, out string? given) && given is not null ? given : standard);
        }
    }

    private async Task RunCommandAsync(Instruction instruction, CancellationToken cancellationToken)
    {
        StageState stage = _stages[^1];
        if (stage.Image is null)
            throw DockerfileException.Invalid("Please provide a source image with `from` prior to run");
        IReadOnlyList<string> command = RunStep.Command(instruction, stage);
        IReadOnlyList<string> variables = stage.ArgumentVariables;
        string[] told = [.. variables.Where(static variable => !StageState.PredefinedArguments.Contains(variable.Split('=', 2)[0])).Order(StringComparer.Ordinal)];
        string createdBy = (told.Length == 0 ? "" : $"|{told.Length} {string.Join(' ', told)} ") + string.Join(' ', command);
        if (await TakeCachedAsync(stage, createdBy, cancellationToken).ConfigureAwait(false))
            return;

        ContainerSpec spec = new()
        {
            Image = stage.Image.Id,
            Entrypoint = [],
            Command = command,
            Environment = [.. stage.Configuration.Environment, .. variables],
            User = stage.Configuration.User,
            WorkingDirectory = stage.Configuration.WorkingDirectory.Length == 0 ? "/" : stage.Configuration.WorkingDirectory,
            NetworkMode = instruction.Flag("network") == "none" ? "none" : _request.Network,
            MemoryBytes = _request.MemoryBytes,
            ShmSizeBytes = _request.ShmSizeBytes,
            ExtraHosts = _request.ExtraHosts,
            Ulimits = _request.Ulimits,
            Labels = stage.Configuration.Labels,
            HealthCheck = new HealthCheck { Test = ["NONE"] },
        };
        IBuildContainer container = await _host.CreateContainerAsync(spec, cancellationToken).ConfigureAwait(false);
        await using (container.ConfigureAwait(false))
        {
            await SayAsync($" ---> Running in {Short(container.Id)}\n", cancellationToken).ConfigureAwait(false);
            Decoder decoder = Encoding.UTF8.GetDecoder(), errors = Encoding.UTF8.GetDecoder();
            int exitCode = await container.RunAsync(chunk => WriteOutputAsync(chunk.IsStderr ? errors : decoder, chunk.Data, chunk.IsStderr, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (exitCode != 0)
                throw new BuildCommandException($"The command '{string.Join(' ', command)}' returned a non-zero code: {exitCode}", exitCode);
            Pipe pipe = new();
            Task reading = ReadLayerAsync(container, pipe.Writer, cancellationToken);
            try
            {
                await CommitAsync(stage, createdBy, pipe.Reader.AsStream(), cancellationToken, isNew: true).ConfigureAwait(false);
            }
            finally
            {
                await pipe.Reader.CompleteAsync().ConfigureAwait(false);
                await reading.ConfigureAwait(false);
            }
        }

        stage.ForgetFiles();
        await SayAsync($"Removing intermediate container {Short(container.Id)}\n", cancellationToken).ConfigureAwait(false);
    }

    private async Task CopyAsync(Instruction instruction, CancellationToken cancellationToken)
    {
        StageState stage = _stages[^1];
        stage.Files ??= await _host.OpenFilesAsync(stage.Image?.Id, cancellationToken).ConfigureAwait(false);
        CopyStep step = new(instruction, stage, _host, _time);
        string? from = instruction.Keyword == "COPY" ? instruction.Flag("from") : null;
        FileTree source = _context;
        FileTree? other = null;
        if (from is not null)
            source = other = await _host.OpenFilesAsync(await SourceAsync(from, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        using (other)
        {
            (LayerBuilder layer, string told) = await step.RunAsync(source, from is null, cancellationToken).ConfigureAwait(false);
            using (layer)
                await CommitLayerAsync(stage, $"{Nop(stage)} {told}", layer, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<string?> SourceAsync(string from, CancellationToken cancellationToken)
    {
        StageState? stage = _stages.SkipLast(1).LastOrDefault(known => known.Name.Length > 0 && known.Name.Equals(from, StringComparison.OrdinalIgnoreCase));
        if (stage is null && int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            stage = number < _stages.Count - 1 ? _stages[number] : throw DockerfileException.Invalid($"invalid from flag value {number}: invalid stage index {number}");
        if (stage is not null)
            return stage.Image?.Id;
        return (await _host.GetImageAsync(from, pullsAlways: false, cancellationToken).ConfigureAwait(false)).Id;
    }

    private async Task WorkingDirectoryAsync(Instruction instruction, CancellationToken cancellationToken)
    {
        StageState stage = _stages[^1];
        string given = stage.Substitution.Expand(instruction.Arguments);
        string path = Absolute(stage.Configuration.WorkingDirectory, given);
        stage.Configuration = stage.Configuration with { WorkingDirectory = path };
        string createdBy = $"{Nop(stage)} WORKDIR {path}";
        if (await TakeCachedAsync(stage, createdBy, cancellationToken).ConfigureAwait(false))
            return;
        stage.Files ??= await _host.OpenFilesAsync(stage.Image?.Id, cancellationToken).ConfigureAwait(false);
        if (stage.Files.Find(path) is not null)
        {
            await CommitAsync(stage, createdBy, null, cancellationToken, isNew: true).ConfigureAwait(false);
            return;
        }

        using LayerBuilder layer = new(stage.Files, _host.NewTemporaryPath(), _time.GetUtcNow());
        layer.AddFolder(stage.Files.Resolve(path), default);
        layer.Finish();
        await CommitLayerAsync(stage, createdBy, layer, cancellationToken, isNew: true).ConfigureAwait(false);
    }

    /// <summary>The labels of the request, as a last instruction.</summary>
    private async Task LabelAsync(CancellationToken cancellationToken)
    {
        StageState stage = _stages[^1];
        string told = string.Join(' ', _request.Labels.OrderBy(static label => label.Key, StringComparer.Ordinal).Select(static label => $"{label.Key}={label.Value}"));
        _step++;
        await SayAsync($"Step {_step}/{_steps + 1} : LABEL {told}\n", cancellationToken).ConfigureAwait(false);
        Dictionary<string, string> labels = new(stage.Configuration.Labels, StringComparer.Ordinal);
        foreach ((string name, string value) in _request.Labels)
            labels[name] = value;
        stage.Configuration = stage.Configuration with { Labels = labels };
        await CommitAsync(stage, $"{Nop(stage)}  LABEL {told}", null, cancellationToken).ConfigureAwait(false);
        await SayAsync($" ---> {Short(stage.Image?.Id)}\n", cancellationToken).ConfigureAwait(false);
    }

    private async Task CommitLayerAsync(StageState stage, string createdBy, LayerBuilder layer, CancellationToken cancellationToken, bool isNew = false)
    {
        if (!isNew && await TakeCachedAsync(stage, createdBy, cancellationToken).ConfigureAwait(false))
        {
            stage.ForgetFiles();
            return;
        }

        using FileStream tar = new(layer.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        await CommitAsync(stage, createdBy, tar, cancellationToken, isNew: true).ConfigureAwait(false);
        stage.ForgetFiles();
    }

    /// <summary>Makes the step's image, or takes it from an earlier build.</summary>
    private async Task CommitAsync(StageState stage, string createdBy, Stream? layer, CancellationToken cancellationToken, bool isNew = false)
    {
        if (!isNew && await TakeCachedAsync(stage, createdBy, cancellationToken).ConfigureAwait(false))
            return;
        ImageCommit commit = new()
        {
            Configuration = stage.Configuration,
            Author = stage.Author,
            CreatedBy = createdBy,
            BuildKey = Key(stage, createdBy),
            IsIntermediate = true,
        };
        stage.Image = await _host.CommitAsync(stage.Image?.Id, layer, commit, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> TakeCachedAsync(StageState stage, string createdBy, CancellationToken cancellationToken)
    {
        if (_request.IgnoresCache)
            return false;
        Image? known = await _host.FindBuiltAsync(Key(stage, createdBy), cancellationToken).ConfigureAwait(false)
            ?? await _cacheSources.FindAsync(stage, createdBy, cancellationToken).ConfigureAwait(false);
        if (known is null)
            return false;
        stage.Image = known;
        await SayAsync(" ---> Using cache\n", cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>What a step is found again by: what it was built on, what it did, and what became of the configuration.</summary>
    private static string Key(StageState stage, string createdBy) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{stage.Image?.Id ?? "scratch"}\n{createdBy}\n{stage.Author}\n{stage.Configuration.WorkingDirectory}")));

    private static async Task ReadLayerAsync(IBuildContainer container, PipeWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            await container.ReadLayerAsync(writer.AsStream(leaveOpen: true), cancellationToken).ConfigureAwait(false);
            await writer.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await writer.CompleteAsync(e).ConfigureAwait(false);
        }
    }

    /// <summary>Standard error is red, as Docker shows it.</summary>
    private async ValueTask WriteOutputAsync(Decoder decoder, ReadOnlyMemory<byte> data, bool isError, CancellationToken cancellationToken)
    {
        char[] characters = new char[Encoding.UTF8.GetMaxCharCount(data.Length)];
        int count = decoder.GetChars(data.Span, characters, flush: false);
        if (count > 0)
            await SayAsync(isError ? $"\e[91m{characters.AsSpan(0, count)}\e[0m" : new string(characters, 0, count), cancellationToken).ConfigureAwait(false);
    }

    private ValueTask SayAsync(string text, CancellationToken cancellationToken) => _output.WriteAsync(text, cancellationToken);

    private static string Absolute(string current, string path)
    {
        List<string> parts = [];
        foreach (string part in (path.StartsWith('/') ? path : $"{current}/{path}").Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
                parts.RemoveRange(Math.Max(parts.Count - 1, 0), Math.Min(parts.Count, 1));
            else if (part != ".")
                parts.Add(part);
        }

        return "/" + string.Join('/', parts);
    }

    /// <summary>How the history tells of what is no command.</summary>
    private static string Nop(StageState stage) => $"{string.Join(' ', stage.Shell)} #(nop)";

    private static string StageName(Instruction from)
    {
        string[] words = from.Arguments.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 3 ? words[2].ToLowerInvariant() : "";
    }

    private static string Short(string? id) => id is null ? "" : id.Replace("sha256:", "", StringComparison.Ordinal) is { Length: > ShortIdLength } digits ? digits[..ShortIdLength] : id;
}
