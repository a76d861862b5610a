using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Microvisor;

namespace Candela.Machine;

/// <summary>What a later daemon must know of a container's run to find it again.</summary>
internal sealed record JournalEntry
{
    /// <summary>Container id.</summary>
    public required string ContainerId { get; init; }

    /// <summary>Its micro-VM.</summary>
    public required MicroVmRecord MicroVm { get; init; }

    /// <summary>Image whose block image the micro-VM uses.</summary>
    public required string ImageId { get; init; }

    /// <summary>Start of the run.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The vCPUs are stopped.</summary>
    public bool Paused { get; init; }

    /// <summary>Set when the main process has ended and its output is in the log.</summary>
    public ContainerExit? Exit { get; init; }

    /// <summary>Execs under way: id to the agent's process number.</summary>
    public IReadOnlyDictionary<string, uint> Execs { get; init; } = new Dictionary<string, uint>();
}

/// <summary>Reads and writes the journal, one file a container, replaced atomically.</summary>
internal static class Journal
{
    /// <summary>Writes; survives the death of the daemon at any moment.</summary>
    public static void Write(string path, JournalEntry entry)
    {
        string temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            JsonSerializer.Serialize(file, entry, JournalJson.Default.JournalEntry);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads; null when there is none.</summary>
    public static JournalEntry? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        using FileStream file = File.OpenRead(path);
        return JsonSerializer.Deserialize(file, JournalJson.Default.JournalEntry);
    }
}

[JsonSerializable(typeof(JournalEntry))]
internal sealed partial class JournalJson : JsonSerializerContext;
