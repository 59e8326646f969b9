using System.Text;
using ArmVdso.Kernel;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Tests.Files;

/// <summary>A kernel with one task that never runs: system call bodies are called directly on its memory and files.</summary>
internal sealed class VfsGuest : IDisposable
{
    private const ulong DataBase = 0x10000000;
    private readonly Machine _machine;
    private ulong _next = DataBase;

    public VfsGuest(string? root = null, uint uid = 0, Stream? output = null)
    {
        _machine = new Machine(1, 64 << 20, (_, _) => new TimingModel());
        Kernel = new LinuxKernel(_machine, new KernelOptions { RootDirectory = root }, new KernelHooks { Output = output ?? Output });
        var group = new ThreadGroup();
        Task = new KernelTask(Kernel.Records, Kernel.Scheduler, Kernel.Namespaces, 100, group) { Comm = "test" };
        group.Leader = Task;
        group.Pid = group.Pgid = group.Sid = 100;
        group.Threads.Add(Task);
        Task.Credentials = Credentials.For(uid, uid);
        Task.Fs = new FsContext(Kernel.Vfs.Root, Kernel.Vfs.Root);
        Task.MountNamespace = Kernel.Vfs.InitialMounts;
        Task.Network = Kernel.Vfs.InitialNetwork;
        Task.Files = new FileTable();
        Task.Handlers = new SignalHandlers();
        Task.Mm = new MemoryMap(Kernel.Machine, Kernel.PageAllocator, 39);
        Assert.Equal((long)DataBase, Task.Mm.Map(DataBase, 8 << 20, 3, 0x32, null, 0));
        Assert.True(Kernel.Records.Allocate(Task));
        Kernel.Records.SyncAll(Task);
        Kernel.Tasks.Register(Task);
        Kernel.Vfs.OpenStandardFiles(Task.Files);
    }

    public LinuxKernel Kernel { get; }

    public KernelTask Task { get; }

    public MemoryStream Output { get; } = new();

    public MemoryMap Memory => Task.Mm!;

    /// <summary>Room in guest memory, 16 bytes aligned.</summary>
    public ulong Room(int bytes)
    {
        ulong at = _next;
        _next += (ulong)(bytes + 15) / 16 * 16;
        return at;
    }

    public ulong Put(params byte[] bytes)
    {
        ulong at = Room(bytes.Length);
        Assert.True(Memory.Write(at, bytes));
        return at;
    }

    public ulong Text(string text) => Put(Encoding.Latin1.GetBytes(text + "\0"));

    public byte[] Bytes(ulong at, int count)
    {
        byte[] bytes = new byte[count];
        Assert.True(Memory.Read(at, bytes));
        return bytes;
    }

    public T Value<T>(ulong at) where T : unmanaged
    {
        Assert.True(Memory.Read(at, out T value));
        return value;
    }

    public SyscallContext Context(params ulong[] arguments)
    {
        ulong[] six = new ulong[6];
        arguments.CopyTo(six, 0);
        return new SyscallContext(Kernel.Syscalls, Task, _machine.Cpus[0], 0, six);
    }

    /// <summary>Calls a body once.</summary>
    public long Call(Func<SyscallContext, long> body, params ulong[] arguments)
    {
        long result = body(Context(arguments));
        if (result == SyscallContext.Blocked)
            Task.Wake();
        return result;
    }

    public void Dispose()
    {
        Kernel.Vfs.Dispose();
        _machine.Dispose();
    }
}
