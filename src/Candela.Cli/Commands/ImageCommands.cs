using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Containers;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;

namespace Candela.Cli.Commands;

/// <summary>images, pull, load, import, tag, rmi, prune.</summary>
internal static class ImageCommands
{
    private const string TarType = "application/x-tar";

    private static readonly Option Quiet = new("quiet", "No progress") { Letter = 'q' };

    public static readonly Command List = new("images", "List images")
    {
        ArgumentsMaximum = 1,
        Arguments = "[NAME]",
        ArgumentCompletes = [Completes.Images],
        Options = [new("quiet", "Only ids") { Letter = 'q' }, new("no-trunc", "Whole ids"), CommandContext.OutputOption],
        Run = ListImages,
    };

    public static readonly Command Pull = new("pull", "Fetch an image from a registry")
    {
        Arguments = "IMAGE",
        ArgumentsMinimum = 1,
        ArgumentsMaximum = 1,
        ArgumentCompletes = [Completes.Images],
        Options = [Quiet],
        Description = "Credentials are those of 'docker login' (~/.docker/config.json, without credential helpers).",
        Examples = [("pull debian:12", ""), ("pull registry.example:5000/team/app@sha256:…", "")],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            PullImage(client, invocation.Arguments[0], invocation.Flag("quiet"));
            Writer.Line(invocation.Arguments[0]);
            return 0;
        },
    };

    public static readonly Command Load = new("load", "Load images from an archive (docker save or OCI layout, tar)")
    {
        ArgumentsMaximum = 0,
        Options = [new("input", "File; default standard input") { Letter = 'i', Value = "FILE", Completes = Completes.Files }, Quiet],
        Examples = [("load -i debian.tar", ""), ("load < debian.tar", "")],
        Run = invocation => Upload(invocation, invocation.Value("input"), Routes.Images + "/load", printIds: false),
    };

    public static readonly Command Import = new("import", "Make an image of a root file system (tar)")
    {
        Arguments = "FILE|- [NAME]",
        ArgumentsMinimum = 1,
        ArgumentsMaximum = 2,
        ArgumentCompletes = [Completes.Files, Completes.Images],
        Options = [Quiet],
        Examples = [("import rootfs.tar my/base", ""), ("import - my/base < rootfs.tar", "")],
        Run = invocation => Upload(
            invocation,
            invocation.Arguments[0] == "-" ? null : invocation.Arguments[0],
            Routes.Query(Routes.Images + "/import", ("reference", invocation.Arguments.Count > 1 ? invocation.Arguments[1] : null)),
            printIds: true),
    };

    public static readonly Command Tag = new("tag", "Give an image another name")
    {
        Arguments = "IMAGE NAME",
        ArgumentsMinimum = 2,
        ArgumentsMaximum = 2,
        ArgumentCompletes = [Completes.Images],
        Examples = [("tag candela/base my/base:1", "")],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            client.Post(Routes.Image(invocation.Arguments[0], "tag"), new TagRequest(invocation.Arguments[1]), Wire.Default.TagRequest);
            return 0;
        },
    };

    public static readonly Command Remove = new("rmi", "Remove images or names of images")
    {
        Arguments = "IMAGE [IMAGE...]",
        ArgumentsMinimum = 1,
        ArgumentCompletes = [Completes.Images],
        Options = [new("force", "Even with several names") { Letter = 'f' }],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            return CommandContext.ForEach(invocation.Arguments, reference =>
            {
                byte[] json = client.Delete(Routes.Query(Routes.Image(reference), ("force", Routes.Flag(invocation.Flag("force")))));
                ShowRemovals(DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListRemovalRow));
            }, printReference: false);
        },
    };

    public static readonly Command Prune = new("prune", "Remove images without a name and collect garbage")
    {
        ArgumentsMaximum = 0,
        Options = [new("all", "Every image that no container uses") { Letter = 'a' }],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            byte[] json = client.Post(Routes.Query(Routes.Images + "/prune", ("all", Routes.Flag(invocation.Flag("all")))));
            var answer = DaemonClient.Deserialize(json, Wire.Default.PruneAnswer);
            ShowRemovals(answer.Removed);
            Writer.Line($"freed {Human.Size(answer.FreedBytes)}");
            return 0;
        },
    };

    public static void PullImage(DaemonClient client, string reference, bool quiet)
    {
        var request = new PullRequest(reference, DockerLogin.Find(reference));
        var response = client.PostStream(Routes.Images + "/pull", request, Wire.Default.PullRequest);
        ShowProgress(response, quiet);
    }

    private static int ListImages(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Images);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        string? wanted = invocation.Arguments.Count > 0 ? invocation.Arguments[0] : null;
        bool whole = invocation.Flag("no-trunc");
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table("NAME", "TAG", "IMAGE ID", "CREATED", "SIZE");
        var ids = new List<string>();
        foreach (var image in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListImageRow))
        {
            string id = whole ? image.Id : Human.ShortId(image.Id);
            foreach (string reference in image.Tags is { Count: > 0 } tags ? tags : ["<none>:<none>"])
            {
                int colon = reference.LastIndexOf(':');
                bool hasTag = colon > reference.LastIndexOf('/');
                string name = hasTag ? reference[..colon] : reference;
                if (wanted is not null && name != wanted && reference != wanted)
                    continue;
                ids.Add(id);
                table.Add(name, hasTag ? reference[(colon + 1)..] : "<none>", id, image.CreatedAt is { } created && created > DateTimeOffset.UnixEpoch ? Human.Ago(created, now) : "N/A", Human.Size(image.SizeBytes));
            }
        }
        Writer.Out(invocation.Flag("quiet") ? string.Concat(ids.Distinct().Select(id => id + "\n")) : table.ToString());
        return 0;
    }

    private static int Upload(Invocation invocation, string? file, string target, bool printIds)
    {
        using var client = invocation.Connect();
        if (file is null && StandardStream.Input.IsTerminal)
            throw new UsageException("standard input is a terminal: name a file, or pipe the archive in") { Path = invocation.Path };
        using Stream body = file is null ? StandardStream.Input : File.OpenRead(file);
        IReadOnlyList<string> ids = ShowProgress(client.Upload("POST", target, body, TarType), invocation.Flag("quiet"));
        if (printIds)
            Writer.Out(string.Concat(ids.Select(id => id + "\n")));
        return 0;
    }

    private static void ShowRemovals(IReadOnlyList<RemovalRow> removals)
    {
        foreach (var removal in removals)
        {
            if (removal.Untagged is not null)
                Writer.Line("untagged: " + removal.Untagged);
            if (removal.Deleted is not null)
                Writer.Line("deleted: " + removal.Deleted);
        }
    }

    /// <summary>Shows lines of progress; on a terminal, a line is drawn over while only its figures change.</summary>
    /// <returns>Ids of the images that came.</returns>
    private static IReadOnlyList<string> ShowProgress(HttpResponse response, bool quiet)
    {
        bool terminal = StandardStream.Error.IsTerminal;
        string? drawn = null;
        IReadOnlyList<string> ids = [];
        foreach (byte[] line in Lines.Read(response.Body))
        {
            var progress = DaemonClient.Deserialize(line, Wire.Default.ProgressLine);
            if (progress.Error is { Length: > 0 })
                throw new ApiException(500, progress.Code ?? "", progress.Error);
            ids = progress.ImageIds ?? ids;
            if (quiet || string.IsNullOrEmpty(progress.Status))
                continue;
            string key = progress.Id is { } id ? $"{Human.ShortId(id)}: {progress.Status}" : progress.Status;
            string figures = progress.Total > 0 ? $" {Human.Size(progress.Current)} of {Human.Size(progress.Total)}" : "";
            if (!terminal)
            {
                if (key != drawn)
                    Writer.Error(key + figures);
            }
            else
            {
                string text = (drawn is null ? "" : key == drawn ? "\r\e[K" : "\n") + key + figures;
                StandardStream.Error.Write(System.Text.Encoding.UTF8.GetBytes(text));
            }
            drawn = key;
        }
        if (terminal && drawn is not null)
            Writer.Error("");
        return ids;
    }
}
