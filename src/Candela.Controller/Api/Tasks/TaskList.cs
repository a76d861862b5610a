using System.Security.Cryptography;
using Candela.Images;
using Candela.Model;

namespace Candela.Controller.Api.Tasks;

/// <summary>Long operations that run, and the last ones that have ended; those of every front end, until the daemon ends.</summary>
public sealed class TaskList(TimeProvider time)
{
    private const int EndedMaximum = 100;
    private const int IdBytes = 8;

    private readonly Lock _lock = new();
    private readonly LinkedList<TaskRecord> _tasks = new();

    /// <summary>All tasks, newest first.</summary>
    public IReadOnlyList<TaskRecord> List()
    {
        lock (_lock)
            return [.. _tasks];
    }

    /// <summary>Runs an operation as a task.</summary>
    /// <param name="caller">Who asked for it.</param>
    /// <param name="kind">What is done.</param>
    /// <param name="subject">What it is done with or to.</param>
    /// <param name="progress">Who else wants to know how far it is, or null.</param>
    /// <param name="work">The operation; what it reports becomes the task's progress.</param>
    public async Task<T> RunAsync<T>(Caller caller, string kind, string subject, IProgress<ImageProgress>? progress, Func<IProgress<ImageProgress>, Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(work);
        var entry = Add(new TaskRecord
        {
            Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)),
            Kind = kind,
            Subject = subject,
            User = caller.UserName,
            CreatedAt = time.GetUtcNow(),
        });
        try
        {
            var result = await work(new Reports(this, entry, progress));
            Change(entry, task => task with { State = TaskState.Succeeded, FinishedAt = time.GetUtcNow(), Progress = 1, Message = "" });
            return result;
        }
        catch (Exception e)
        {
            var why = e switch { CandelaException { Code: not ErrorCode.Internal } => e.Message, OperationCanceledException => "cancelled", _ => "internal error" };
            Change(entry, task => task with { State = TaskState.Failed, FinishedAt = time.GetUtcNow(), Message = why });
            throw;
        }
    }

    private LinkedListNode<TaskRecord> Add(TaskRecord task)
    {
        lock (_lock)
        {
            var ended = _tasks.Count(other => other.FinishedAt is not null);
            for (var node = _tasks.Last; node is not null && ended >= EndedMaximum;)
            {
                var newer = node.Previous;
                if (node.Value.FinishedAt is not null)
                {
                    _tasks.Remove(node);
                    ended--;
                }

                node = newer;
            }

            return _tasks.AddFirst(task);
        }
    }

    private void Change(LinkedListNode<TaskRecord> entry, Func<TaskRecord, TaskRecord> change)
    {
        lock (_lock)
            entry.Value = change(entry.Value);
    }

    private sealed class Reports(TaskList tasks, LinkedListNode<TaskRecord> entry, IProgress<ImageProgress>? other) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value)
        {
            other?.Report(value);
            tasks.Change(entry, task => task with
            {
                Message = value.Id is null ? value.Status : $"{value.Id}: {value.Status}",
                Progress = value.Total > 0 ? Math.Clamp((double)value.Current / value.Total, 0, 1) : null,
            });
        }
    }
}
