using System.Runtime.InteropServices;

namespace Candela.Identity.Authentication.Native;

/// <summary>The reference implementation of RFC 9106 (https://github.com/P-H-C/phc-winner-argon2, include/argon2.h).</summary>
internal static unsafe partial class Argon2
{
    public const int ARGON2_OK = 0;

    private const string Library = "libargon2.so.1";

    /// <param name="t_cost">Passes.</param>
    /// <param name="m_cost">Memory, KiB.</param>
    /// <param name="parallelism">Lanes, each with a thread of its own.</param>
    /// <param name="pwd">Password.</param>
    /// <param name="pwdlen">Its bytes.</param>
    /// <param name="salt">Salt.</param>
    /// <param name="saltlen">Its bytes, at least 8.</param>
    /// <param name="hash">Where the tag goes.</param>
    /// <param name="hashlen">Its bytes, at least 4.</param>
    [LibraryImport(Library)]
    public static partial int argon2id_hash_raw(uint t_cost, uint m_cost, uint parallelism, byte* pwd, nuint pwdlen, byte* salt, nuint saltlen, byte* hash, nuint hashlen);

    [LibraryImport(Library)]
    public static partial nint argon2_error_message(int error_code);
}
