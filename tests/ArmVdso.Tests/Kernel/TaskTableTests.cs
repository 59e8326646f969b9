using ArmVdso.Kernel;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Tests.Kernel;

/// <summary>Numbers of tasks: which are given, who is found by them.</summary>
public sealed class TaskTableTests : IDisposable
{
    private readonly Machine _machine = new(1, 64 << 20, (_, _) => new TimingModel());
    private readonly LinuxKernel _kernel;

    public TaskTableTests() => _kernel = new LinuxKernel(_machine, new KernelOptions());

    public void Dispose()
    {
        _kernel.Vfs.Dispose();
        _machine.Dispose();
    }

    private KernelTask Make(int tid, int group, int session)
    {
        var process = new ThreadGroup { Pgid = group, Sid = session };
        var task = new KernelTask(_kernel.Records, _kernel.Scheduler, _kernel.Namespaces, tid, process);
        process.Leader = task;
        process.Pid = tid;
        process.Threads.Add(task);
        return task;
    }

    /// <summary>alloc_pid: after the largest number come those from 300 on (RESERVED_PIDS), and none that a task, a process group or a
    /// session still has.</summary>
    [Fact]
    public void Numbers_in_use_are_not_given_again()
    {
        var table = new TaskTable(32766);
        table.Register(Make(32766, 300, 302));
        Assert.Equal([32767, 301, 303], [table.AllocatePid(), table.AllocatePid(), table.AllocatePid()]);
    }

    [Fact]
    public void A_number_that_another_task_took_over_is_not_forgotten_with_the_first()
    {
        var table = new TaskTable(100);
        KernelTask leader = Make(100, 100, 100), heir = Make(100, 100, 100);
        table.Register(leader);
        table.Register(heir);
        table.Unregister(leader);
        Assert.Same(heir, table.Find(100));
        table.Unregister(heir);
        Assert.Null(table.Find(100));
        Assert.False(table.AnyoneAlive);
    }

    [Fact]
    public void A_process_is_found_by_its_leader_alone()
    {
        var table = new TaskTable(100);
        KernelTask leader = Make(100, 100, 100);
        var thread = new KernelTask(_kernel.Records, _kernel.Scheduler, _kernel.Namespaces, 101, leader.Group);
        table.Register(thread);
        table.Register(leader);
        Assert.Same(leader.Group, table.FindGroup(100));
        Assert.Null(table.FindGroup(101));
        Assert.Equal([leader.Group], table.Groups);
    }
}
