using System.Runtime.InteropServices;

namespace ArmVdso.Benchmarks;

/// <summary>The emulator of libunicorn 2 (Debian package libunicorn2), 64-bit Arm: just what running a static program takes. The library is
/// found by its name, or at the path in ARMVDSO_UNICORN.</summary>
internal sealed unsafe class Unicorn : SafeHandle
{
    // Values of unicorn/unicorn.h and unicorn/arm64.h.
    private const int ArchArm64 = 2, ModeArm = 0, HookInterrupt = 1, ProtectAll = 7;

    /// <summary>Register numbers.</summary>
    internal const int Sp = 4, X0 = 199, Pc = 260, Cpacr = 261;

    private static readonly nint s_library = Find();
    private static readonly delegate* unmanaged<int, int, nint*, int> s_open = (delegate* unmanaged<int, int, nint*, int>)Symbol("uc_open");
    private static readonly delegate* unmanaged<nint, int> s_close = (delegate* unmanaged<nint, int>)Symbol("uc_close");
    private static readonly delegate* unmanaged<nint, ulong, ulong, uint, int> s_map =
        (delegate* unmanaged<nint, ulong, ulong, uint, int>)Symbol("uc_mem_map");
    private static readonly delegate* unmanaged<nint, ulong, byte*, ulong, int> s_write =
        (delegate* unmanaged<nint, ulong, byte*, ulong, int>)Symbol("uc_mem_write");
    private static readonly delegate* unmanaged<nint, ulong, byte*, ulong, int> s_read =
        (delegate* unmanaged<nint, ulong, byte*, ulong, int>)Symbol("uc_mem_read");
    private static readonly delegate* unmanaged<nint, int, ulong*, int> s_regWrite =
        (delegate* unmanaged<nint, int, ulong*, int>)Symbol("uc_reg_write");
    private static readonly delegate* unmanaged<nint, int, ulong*, int> s_regRead =
        (delegate* unmanaged<nint, int, ulong*, int>)Symbol("uc_reg_read");
    private static readonly delegate* unmanaged<nint, ulong, ulong, ulong, nuint, int> s_start =
        (delegate* unmanaged<nint, ulong, ulong, ulong, nuint, int>)Symbol("uc_emu_start");
    private static readonly delegate* unmanaged<nint, int> s_stop = (delegate* unmanaged<nint, int>)Symbol("uc_emu_stop");
    // The function is variadic; none of the further arguments is passed, and no argument is a vector.
    private static readonly delegate* unmanaged<nint, nuint*, int, nint, nint, ulong, ulong, int> s_hook =
        (delegate* unmanaged<nint, nuint*, int, nint, nint, ulong, ulong, int>)Symbol("uc_hook_add");

    private GCHandle _self;

    /// <summary>Called at each SVC.</summary>
    internal Action<Unicorn>? OnInterrupt { get; set; }

    /// <summary>Whether the library is there.</summary>
    internal static bool Available => s_library != 0;

    /// <summary>An emulator with no memory.</summary>
    /// <exception cref="InvalidOperationException">The library refuses.</exception>
    internal Unicorn() : base(0, true)
    {
        nint engine = 0;
        Check(s_open(ArchArm64, ModeArm, &engine), "uc_open");
        SetHandle(engine);
        _self = GCHandle.Alloc(this);
        nuint hook;
        var interrupt = (nint)(delegate* unmanaged<nint, uint, nint, void>)&Interrupt;
        Check(s_hook(handle, &hook, HookInterrupt, interrupt, GCHandle.ToIntPtr(_self), 1, 0), "uc_hook_add");
        Write(Cpacr, 3UL << 20);
    }

    public override bool IsInvalid => handle == 0;

    internal void Map(ulong address, ulong size) => Check(s_map(handle, address, size, ProtectAll), "uc_mem_map");

    internal void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
            Check(s_write(handle, address, p, (ulong)bytes.Length), "uc_mem_write");
    }

    internal byte[] Read(ulong address, int size)
    {
        byte[] bytes = new byte[size];
        fixed (byte* p = bytes)
            Check(s_read(handle, address, p, (ulong)size), "uc_mem_read");
        return bytes;
    }

    internal void Write(int register, ulong value) => Check(s_regWrite(handle, register, &value), "uc_reg_write");

    internal ulong Read(int register)
    {
        ulong value = 0;
        Check(s_regRead(handle, register, &value), "uc_reg_read");
        return value;
    }

    /// <summary>Runs from an address until <see cref="Stop"/>.</summary>
    internal void Start(ulong address) => Check(s_start(handle, address, 0, 0, 0), $"uc_emu_start, pc {Read(Pc):x}");

    internal void Stop() => Check(s_stop(handle), "uc_emu_stop");

    protected override bool ReleaseHandle()
    {
        int error = s_close(handle);
        _self.Free();
        return error == 0;
    }

    [UnmanagedCallersOnly]
    private static void Interrupt(nint engine, uint number, nint user)
    {
        var self = (Unicorn)GCHandle.FromIntPtr(user).Target!;
        self.OnInterrupt?.Invoke(self);
    }

    private static void Check(int error, string what)
    {
        if (error != 0)
            throw new InvalidOperationException($"libunicorn: {what}: error {error}");
    }

    private static nint Find()
    {
        string? path = Environment.GetEnvironmentVariable("ARMVDSO_UNICORN");
        return NativeLibrary.TryLoad(string.IsNullOrEmpty(path) ? "libunicorn.so.2" : path, out nint library) ? library : 0;
    }

    private static nint Symbol(string name) => s_library == 0 ? 0 : NativeLibrary.GetExport(s_library, name);
}
