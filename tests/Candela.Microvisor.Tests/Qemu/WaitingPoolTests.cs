using Candela.Microvisor.Qemu;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Microvisor.Tests.Qemu;

public sealed class WaitingPoolTests : IDisposable
{
    private const int Attempts = 3;

    private readonly PreparationSlots _slots = new(2);
    private readonly ManualTimeProvider _time = new();
    private readonly Lock _gate = new();
    private readonly List<Preparation> _begun = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _slots.Dispose();

    [Fact]
    public async Task Fills_up_to_its_target_and_again_after_a_claim()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 2);
        Task filled = pool.FillAsync();
        Vm first = (await BegunAsync(1))[0].Succeed();
        (await BegunAsync(2))[1].Succeed();
        await filled.WaitAsync(Token);

        Assert.Same(first, await pool.TakeAsync(Token));

        Assert.True((await BegunAsync(3))[2].Ahead);
        _begun[2].Succeed();
        await pool.FillAsync().WaitAsync(Token);
        Assert.Equal(2, pool.Count);
    }

    [Fact]
    public async Task A_claim_does_not_wait_for_those_that_are_made_ahead()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 4);
        _ = pool.FillAsync();
        await BegunAsync(1);

        Task<Vm> claim = pool.TakeAsync(Token);
        Preparation urgent = (await BegunAsync(2))[1];

        Assert.Equal([true, false], _begun.Select(b => b.Ahead));
        Assert.Same(urgent.Succeed(), await claim.WaitAsync(Token));
    }

    [Fact]
    public async Task A_claim_takes_one_made_ahead_that_is_ready_first_and_the_other_waits()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 1);
        _ = pool.FillAsync();
        await BegunAsync(1);
        Task<Vm> claim = pool.TakeAsync(Token);
        Preparation urgent = (await BegunAsync(2))[1];

        Assert.Same(_begun[0].Succeed(), await claim.WaitAsync(Token));

        Vm other = urgent.Succeed();
        await pool.FillAsync().WaitAsync(Token);
        Assert.Same(other, await pool.TakeAsync(Token));
    }

    [Fact]
    public async Task Failures_ahead_of_need_are_no_claims_failure()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 1);
        Task filled = pool.FillAsync();
        await BegunAsync(1);
        Task<Vm> claim = pool.TakeAsync(Token);
        Preparation urgent = (await BegunAsync(2)).Single(b => !b.Ahead);

        for (int attempt = 1; attempt <= Attempts; attempt++)
            (await BegunAsync(1 + attempt)).Single(b => b.Ahead && !b.Done).Fail("ahead");

        Assert.Equal("ahead", (await Assert.ThrowsAsync<IOException>(() => filled)).Message);
        Assert.Same(urgent.Succeed(), await claim.WaitAsync(Token));
    }

    [Fact]
    public async Task After_failures_in_a_row_nothing_is_made_ahead_for_a_while_that_grows()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 1);
        int begun = 0;
        foreach ((int failures, int pauseSeconds) in new[] { (Attempts, 1), (1, 2), (1, 4) })
        {
            Task filled = pool.FillAsync();
            for (int failure = 0; failure < failures; failure++)
                (await BegunAsync(++begun))[^1].Fail("no memory");
            await Assert.ThrowsAsync<IOException>(() => filled);
            await Assert.ThrowsAsync<IOException>(pool.FillAsync); // at once

            _time.Advance(TimeSpan.FromSeconds(pauseSeconds) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(begun, (await BegunAsync(begun)).Length);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await BegunAsync(begun + 1);
        }

        // A claim does not wait for the pause's end, and what it gets ends the row.
        Task<Vm> claim = pool.TakeAsync(Token);
        Preparation urgent = (await BegunAsync(begun + 2)).Single(b => !b.Ahead);
        urgent.Succeed();
        await claim.WaitAsync(Token);
    }

    [Fact]
    public async Task A_claim_is_tried_again_before_it_alone_fails()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 0);
        Task<Vm> first = pool.TakeAsync(Token), second = pool.TakeAsync(Token);
        Preparation other = (await BegunAsync(2))[1];

        for (int attempt = 1; attempt <= Attempts; attempt++)
            (await BegunAsync(1 + attempt)).First(b => b != other && !b.Done).Fail("no memory");

        Assert.Equal("no memory", (await Assert.ThrowsAsync<IOException>(() => first)).Message);
        Assert.Same(other.Succeed(), await second.WaitAsync(Token));
        await pool.FillAsync(); // nothing shall wait
    }

    [Fact]
    public async Task One_that_dies_while_it_waits_is_replaced()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 1);
        Task filled = pool.FillAsync();
        Vm first = (await BegunAsync(1))[0].Succeed();
        await filled.WaitAsync(Token);
        await first.EndAsync();

        Vm next = (await BegunAsync(2))[1].Succeed();

        await pool.FillAsync().WaitAsync(Token);
        Assert.Same(next, await pool.TakeAsync(Token));
    }

    [Fact]
    public async Task A_claim_that_is_given_up_leaves_its_VMM_to_the_next()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 1);
        using var impatience = new CancellationTokenSource();
        Task<Vm> claim = pool.TakeAsync(impatience.Token);
        Preparation[] begun = await BegunAsync(2);

        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => claim);
        Vm vm = begun.Single(b => !b.Ahead).Succeed();
        await pool.FillAsync().WaitAsync(Token);

        Assert.Same(vm, await pool.TakeAsync(Token));
    }

    [Fact]
    public async Task Closing_ends_all_that_wait_and_fails_all_claims()
    {
        WaitingPool<Vm> pool = NewPool(target: 1), empty = NewPool(target: 0);
        Task filled = pool.FillAsync();
        Vm vm = (await BegunAsync(1))[0].Succeed();
        await filled.WaitAsync(Token);
        Task<Vm> claim = empty.TakeAsync(Token);
        await BegunAsync(2);

        await pool.DisposeAsync();
        await empty.DisposeAsync();

        Assert.True(vm.Exited.IsCompleted);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => claim);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.TakeAsync(Token));
    }

    [Fact]
    public async Task No_more_are_prepared_at_once_than_there_are_slots()
    {
        await using WaitingPool<Vm> pool = NewPool(target: 3);
        Task<Vm>[] claims = [.. Enumerable.Range(0, 5).Select(_ => pool.TakeAsync(Token))];

        for (int done = 0; done < 8; done++)
        {
            Preparation[] begun = await BegunAsync(done + 1);
            Assert.InRange(begun.Count(b => !b.Ahead && !b.Done), 0, 2);
            Assert.InRange(begun.Count(b => b.Ahead && !b.Done), 0, 1);
            begun.First(b => !b.Done).Succeed();
        }

        Assert.Equal(5, (await Task.WhenAll(claims)).Distinct().Count());
    }

    private WaitingPool<Vm> NewPool(int target) => new(target, _slots, PrepareAsync, _time, NullLogger.Instance);

    private Task<Vm> PrepareAsync(bool ahead, CancellationToken cancellationToken)
    {
        var preparation = new Preparation(ahead, cancellationToken);
        lock (_gate)
        {
            _begun.Add(preparation);
            _changed.SetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return preparation.Task;
    }

    private async Task<Preparation[]> BegunAsync(int count)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_begun.Count >= count)
                    return [.. _begun];
                changed = _changed.Task;
            }

            await changed.WaitAsync(TimeSpan.FromSeconds(20), Token);
        }
    }

    private sealed class Vm : IWaiting
    {
        private readonly TaskCompletionSource<MicroVmExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => "vm";

        public Task<MicroVmExit> Exited => _exited.Task;

        public Task EndAsync()
        {
            _exited.TrySetResult(new MicroVmExit(GuestPowerOff: false, "signal 9"));
            return Task.CompletedTask;
        }
    }

    private sealed class Preparation
    {
        private readonly TaskCompletionSource<Vm> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Preparation(bool ahead, CancellationToken cancellationToken)
        {
            Ahead = ahead;
            cancellationToken.Register(() => _result.TrySetCanceled(cancellationToken));
        }

        public bool Ahead { get; }

        public Task<Vm> Task => _result.Task;

        public bool Done => _result.Task.IsCompleted;

        public Vm Succeed()
        {
            var vm = new Vm();
            _result.SetResult(vm);
            return vm;
        }

        public void Fail(string reason) => _result.TrySetException(new IOException(reason));
    }
}
