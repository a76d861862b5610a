namespace Candela.Guest.Files;

/// <summary>An open file, closed once.</summary>
internal sealed class Descriptor(int number) : IDisposable
{
    private int _number = number;

    /// <summary>The file descriptor.</summary>
    public int Number => _number >= 0 ? _number : throw new ObjectDisposedException(nameof(Descriptor));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_number >= 0)
            FileCalls.Close(_number);
        _number = -1;
    }
}
