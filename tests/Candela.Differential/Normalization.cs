using System.Text.RegularExpressions;

namespace Candela.Differential;

/// <summary>Takes out of a text what differs between any two runs: ids, times, ages, and each engine's words for a failed start.</summary>
internal static partial class Normalization
{
    public static string Of(string text, string folder)
    {
        text = text.Replace(folder, "FOLDER", StringComparison.Ordinal);
        text = Time().Replace(text, "TIME");
        text = ClosedPipe().Replace(text, "");
        text = Id64().Replace(text, "ID");
        text = Id12().Replace(text, "ID");
        text = UnixTime().Replace(text, "1");
        text = Age().Replace(text, "AGE");
        text = Size().Replace(text, "SIZE");
        text = StartFailure().Replace(text, "START FAILED: ");
        text = StartCause().Replace(text, "START FAILED: $1");
        text = Message().Replace(text, static match => match.Value.ToLowerInvariant());
        text = Refusal().Replace(text, static match => match.Value.ToLowerInvariant());
        return string.Join('\n', text.Split('\n').Select(static line => line.TrimEnd())).Trim();
    }

    /// <summary>Docker 20.10 began such sentences with a capital letter, 28 does not.</summary>
    [GeneratedRegex("(?<=Error response from daemon: )(Cannot kill container: .*: )?[A-Z](?=[a-z])", RegexOptions.Multiline)]
    private static partial Regex Refusal();

    [GeneratedRegex("(?<=\"message\":\")[A-Z](?=[a-z])")]
    private static partial Regex Message();

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d( UTC)?)?")]
    private static partial Regex Time();

    /// <summary>How much of an archive the client had sent when it was refused is chance.</summary>
    [GeneratedRegex("^time=\"TIME\" level=error msg=\"Can't (add file|close tar writer).*\\n", RegexOptions.Multiline)]
    private static partial Regex ClosedPipe();

    /// <summary>Seconds or nanoseconds of the years 2017 to 2033.</summary>
    [GeneratedRegex(@"\b1[5-9]\d{8}(\d{9})?(\.\d+)?\b")]
    private static partial Regex UnixTime();

    [GeneratedRegex("(sha256:)?[0-9a-f]{64}")]
    private static partial Regex Id64();

    [GeneratedRegex(@"\b[0-9a-f]{12}\b")]
    private static partial Regex Id12();

    [GeneratedRegex(@"(Less than a second|About a minute|About an hour|\d+ (seconds?|minutes?))( ago)?")]
    private static partial Regex Age();

    [GeneratedRegex(@"\b\d+(\.\d+)?[kMG]?B\b")]
    private static partial Regex Size();

    [GeneratedRegex("(failed to create (shim )?task for container: |failed to create shim: |OCI runtime (create|exec) failed: |failed to start the process in the micro-VM: |exec failed: |unable to start container process: |runc create failed: |container_linux.go:\\d+: starting container process caused: |starting container process caused: )+")]
    private static partial Regex StartFailure();

    [GeneratedRegex(".*START FAILED: (.*?)(: unknown)?\\.?$", RegexOptions.Multiline)]
    private static partial Regex StartCause();
}
