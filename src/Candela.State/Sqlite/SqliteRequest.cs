namespace Candela.State.Sqlite;

/// <summary>Something the writer is to do; done together with others in one database transaction.</summary>
internal abstract class SqliteRequest
{
    /// <summary>Does it; the result is kept back until the commit.</summary>
    public abstract void Run(SqliteWriter writer);

    /// <summary>Committed.</summary>
    public abstract void Complete();

    /// <summary>Not done.</summary>
    public abstract void Fail(Exception exception);
}

/// <inheritdoc/>
internal sealed class SqliteRequest<T>(Func<SqliteWriter, T> run) : SqliteRequest
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Done => _done.Task;

    public override void Run(SqliteWriter writer) => _result = run(writer);

    public override void Complete() => _done.TrySetResult(_result!);

    public override void Fail(Exception exception) => _done.TrySetException(exception);
}
