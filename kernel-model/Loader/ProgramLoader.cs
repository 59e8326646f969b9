using System.Text;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Loader;

/// <summary>What execve made: a new memory, and where to start.</summary>
/// <param name="Memory">The memory.</param>
/// <param name="Entry">First instruction.</param>
/// <param name="StackPointer">Initial SP.</param>
/// <param name="Auxv">Auxiliary vector.</param>
public sealed record LoadedProgram(MemoryMap Memory, ulong Entry, ulong StackPointer, byte[] Auxv);

/// <summary>What execve is asked for (struct linux_binprm).</summary>
/// <param name="Vfs">Where interpreters are looked for.</param>
/// <param name="Caller">Who asks.</param>
/// <param name="Path">The program as it is named; after a script, its interpreter.</param>
/// <param name="Arguments">argv.</param>
/// <param name="Environment">envp.</param>
/// <param name="Limits">Whose resource limits hold.</param>
/// <param name="Credentials">Identity of the program.</param>
internal sealed record ProgramRequest(
    Vfs Vfs, Caller Caller, string Path, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment, ThreadGroup Limits,
    Credentials Credentials)
{
    /// <summary>AT_EXECFN: the file that was named first, a script and not its interpreter.</summary>
    public string ExecPath { get; init; } = Path;
}

/// <summary>binfmt_elf and binfmt_script: loads a program, its interpreter and the initial stack (fs/binfmt_elf.c).</summary>
/// <param name="machine">The machine.</param>
/// <param name="options">Bits of user addresses.</param>
/// <param name="pages">Where memory comes from.</param>
/// <param name="vdso">What every program gets mapped.</param>
/// <param name="random">AT_RANDOM.</param>
/// <param name="codePageLoaded">See <see cref="MemoryMap"/>.</param>
internal sealed class ProgramLoader(
    Machine machine, KernelOptions options, PageAllocator pages, VdsoMapping vdso, DeterministicRandom random,
    Action<MemoryMap, Vma, ulong, ulong>? codePageLoaded)
{
    private const ulong Page = PhysicalMemory.PageSize;
    private const int MaxScriptDepth = 5;
    private const int MaxArgumentBytes = 2 << 20;
    private const int MaxArgumentLength = 131072;

    /// <summary>Loads what <paramref name="file"/> is. The reference to it is the caller's.</summary>
    /// <returns>0, or -errno with one line in <paramref name="error"/>.</returns>
    internal long Load(ProgramRequest request, OpenFile file, out LoadedProgram? program, out string error)
    {
        program = null;
        int bytes = 0;
        foreach (string s in request.Arguments.Concat(request.Environment))
        {
            bytes += s.Length + 9;
            if (s.Length >= MaxArgumentLength || bytes > MaxArgumentBytes)
            {
                error = $"{request.Path}: arguments and environment are too long";
                return -Errno.E2BIG;
            }
        }
        return LoadDepth(request, file, 0, out program, out error);
    }

    private long LoadDepth(ProgramRequest request, OpenFile file, int depth, out LoadedProgram? program, out string error)
    {
        program = null;
        (Vfs vfs, Caller caller, string path) = (request.Vfs, request.Caller, request.Path);
        if (FirstLine(file) is { } line)
        {
            if (depth >= MaxScriptDepth)
            {
                error = $"{path}: too many levels of interpreters";
                return -Errno.ELOOP;
            }
            if (line.Length == 0)
            {
                error = $"{path}: '#!' names no interpreter";
                return -Errno.ENOEXEC;
            }
            (string interpreter, List<string> newArgv) = Script(line, request);
            long result = vfs.OpenExecutable(caller, caller.Fs.Cwd, interpreter, true, null, out OpenFile? next);
            if (result < 0)
            {
                error = $"{path}: interpreter {interpreter}: {Errno.NameOf(-result)}";
                return result;
            }
            try
            {
                return LoadDepth(
                    request with { Path = interpreter, Arguments = newArgv }, next!, depth + 1, out program, out error);
            }
            finally
            {
                next!.Release();
            }
        }
        return LoadElf(request, file, out program, out error);
    }

    /// <summary>What is behind the '#!' of a script, empty if that names no interpreter; null: it is no script (load_script).</summary>
    private static string? FirstLine(OpenFile file)
    {
        Span<byte> start = new byte[256];
        start = start[..(int)Math.Max(file.Read(start, 0), 0)];
        if (!start.StartsWith("#!"u8))
            return null;
        int end = start.IndexOf((byte)'\n');
        string line = Encoding.Latin1.GetString(start[2..(end < 0 ? start.Length : end)]).TrimEnd('\0').Trim(' ', '\t');
        return end < 0 && start.Length == 256 && !line.Contains(' ') ? "" : line;
    }

    private static (string Interpreter, List<string> Arguments) Script(string line, ProgramRequest request)
    {
        int space = line.IndexOfAny([' ', '\t']);
        string interpreter = space < 0 ? line : line[..space];
        List<string> arguments = [interpreter];
        if (space >= 0)
            arguments.Add(line[space..].Trim(' ', '\t'));
        arguments.Add(request.Path);
        arguments.AddRange(request.Arguments.Skip(1));
        return (interpreter, arguments);
    }

    /// <summary>The file that <see cref="Load"/> opens after one: a script's interpreter, or that of an ELF file, which has none itself;
    /// null: none.</summary>
    /// <param name="inode">The file.</param>
    /// <param name="depth">How many interpreters there were before it.</param>
    internal static (string Path, bool IsLast)? InterpreterOf(Inode inode, int depth)
    {
        if (inode.Real.Open(OpenFlags.O_RDONLY, null, out OpenFile? file) < 0)
            return null;
        file!.IsSilent = true;
        try
        {
            if (FirstLine(file) is { } line)
                return depth >= MaxScriptDepth || line.Length == 0 ? null : (line.Split(' ', '\t')[0], false);
            return ElfImage.Read(file, "", out ElfImage? elf, out _) == 0 && elf!.Interpreter is { } path ? (path, true) : null;
        }
        finally
        {
            file.Release();
        }
    }

    private long LoadElf(ProgramRequest request, OpenFile file, out LoadedProgram? program, out string error)
    {
        program = null;
        (Vfs vfs, Caller caller, string path) = (request.Vfs, request.Caller, request.Path);
        long result = ElfImage.Read(file, path, out ElfImage? elf, out error);
        if (result < 0)
            return result;
        OpenFile? interpreterFile = null;
        ElfImage? interpreter = null;
        if (elf!.Interpreter is { } interpreterPath)
        {
            result = vfs.OpenExecutable(caller, caller.Fs.Cwd, interpreterPath, true, null, out interpreterFile);
            if (result < 0)
            {
                error = $"{path}: interpreter {interpreterPath}: "
                    + $"{(result == -Errno.ENOENT ? "not found in the guest's root" : Errno.NameOf(-result))}";
                return result;
            }
            result = ElfImage.Read(interpreterFile!, interpreterPath, out interpreter, out error);
            if (result < 0)
            {
                interpreterFile!.Release();
                return -Errno.ELIBBAD;
            }
        }
        var memory = new MemoryMap(machine, pages, options.VaBits, codePageLoaded);
        try
        {
            result = Build(request, memory, file, elf, interpreterFile, interpreter, out program, out error);
        }
        finally
        {
            interpreterFile?.Release();
        }
        if (result < 0)
            memory.Release();
        return result;
    }

    private long Build(
        ProgramRequest request, MemoryMap memory, OpenFile file, ElfImage elf, OpenFile? interpreterFile, ElfImage? interpreter,
        out LoadedProgram? program, out string error)
    {
        program = null;
        string path = request.Path;
        ulong stackTop = memory.TaskSize;
        ulong stackLimit = request.Limits.Rlimits[Rlimits.Stack].Soft;
        memory.StackLimit = stackLimit;
        // mmap_base: below the largest stack, as Linux without randomisation.
        ulong gap = Math.Clamp(stackLimit, 128UL << 20, memory.TaskSize / 6 * 5);
        memory.MmapBase = (stackTop - gap) & ~(Page - 1);
        bool bti = HardwareCapabilities.HasBti(machine);
        ulong bias = 0;
        if (elf.IsDynamic)
        {
            // ELF_ET_DYN_BASE; a fixed place, as without randomisation.
            ulong baseAddress = (memory.TaskSize / 3 * 2) & ~0xffffUL;
            bias = baseAddress - elf.Span.Low;
        }
        if (!MapSegments(memory, file, elf, bias, bti && elf.WantsBti && interpreter is null, out ulong brk))
        {
            error = $"{path}: its segments do not fit into {memory.Space.VaBits} bits of address";
            return -Errno.ENOMEM;
        }
        memory.BrkStart = memory.Brk = (brk + Page - 1) & ~(Page - 1);
        ulong entry = elf.Entry + bias;
        ulong interpreterBase = 0;
        if (interpreter is not null)
        {
            ulong size = interpreter.Span.High - interpreter.Span.Low;
            ulong at = interpreter.IsDynamic ? memory.FindFree(size) : interpreter.Span.Low;
            interpreterBase = at - interpreter.Span.Low;
            if (at == 0 || !MapSegments(memory, interpreterFile!, interpreter, interpreterBase, bti && interpreter.WantsBti, out _))
            {
                error = $"{path}: its interpreter does not fit into memory";
                return -Errno.ENOMEM;
            }
            entry = interpreter.Entry + interpreterBase;
        }
        ulong vdsoBase = vdso.MapInto(memory);
        int stackProt = Mman.PROT_READ | Mman.PROT_WRITE | (elf.ExecutableStack ? Mman.PROT_EXEC : 0);
        memory.Add(new Vma { Start = stackTop - 33 * Page, End = stackTop, Prot = stackProt, GrowsDown = true, Name = "[stack]" });
        var image = new ProgramImage(elf, bias, HeaderAddress(elf) + bias, interpreterBase, vdsoBase, options.Kernel.RseqSlice ? 32u : 28);
        memory.Bounds = BoundsOf(elf, bias);
        if (!InitialStack.Build(machine, random, memory, stackTop, request, image, out ulong sp, out byte[] auxv))
        {
            error = $"{path}: arguments do not fit onto the stack";
            return -Errno.E2BIG;
        }
        error = "";
        memory.SetExecutable(file);
        program = new LoadedProgram(memory, entry, sp, auxv);
        return 0;
    }

    /// <summary>Code and data of a program as load_elf_binary finds them (fs/binfmt_elf.c).</summary>
    private static MemoryBounds BoundsOf(ElfImage elf, ulong bias)
    {
        ulong codeStart = ulong.MaxValue, codeEnd = 0, dataStart = 0, dataEnd = 0;
        foreach (ElfSegment s in elf.Segments)
        {
            if (s.Type != 1)
                continue;
            ulong end = s.Va + s.FileSize;
            if ((s.Flags & 1) != 0)
                (codeStart, codeEnd) = (Math.Min(codeStart, s.Va), Math.Max(codeEnd, end));
            (dataStart, dataEnd) = (Math.Max(dataStart, s.Va), Math.Max(dataEnd, end));
        }
        return new MemoryBounds
        {
            CodeStart = codeStart + bias,
            CodeEnd = codeEnd + bias,
            DataStart = dataStart + bias,
            DataEnd = dataEnd + bias,
        };
    }

    private static ulong HeaderAddress(ElfImage elf)
    {
        foreach (ElfSegment s in elf.Segments)
        {
            if (s.Type == 6)
                return s.Va;
        }
        foreach (ElfSegment s in elf.Segments)
        {
            if (s.Type == 1 && s.Offset <= elf.HeaderOffset && elf.HeaderOffset < s.Offset + s.FileSize)
                return s.Va + (elf.HeaderOffset - s.Offset);
        }
        return 0;
    }

    private static bool MapSegments(MemoryMap memory, OpenFile file, ElfImage elf, ulong bias, bool bti, out ulong brk)
    {
        brk = 0;
        if (elf.Span.High + bias > memory.TaskSize || elf.Span.Low + bias > elf.Span.High + bias)
            return false;
        foreach (ElfSegment s in elf.Segments)
        {
            if (s.Type != 1 || s.MemorySize == 0)
                continue;
            int prot = ((s.Flags & 4) != 0 ? Mman.PROT_READ : 0) | ((s.Flags & 2) != 0 ? Mman.PROT_WRITE : 0)
                | ((s.Flags & 1) != 0 ? Mman.PROT_EXEC | (bti ? Mman.PROT_BTI : 0) : 0);
            ulong start = (s.Va + bias) & ~(Page - 1);
            ulong fileEnd = s.Va + bias + s.FileSize;
            ulong end = s.Va + bias + s.MemorySize;
            const int flags = Mman.MAP_PRIVATE | Mman.MAP_FIXED;
            if (s.FileSize > 0 && memory.Map(start, fileEnd - start, prot, flags, file, s.Offset & ~(Page - 1)) < 0)
                return false;
            ulong mappedEnd = s.FileSize > 0 ? (fileEnd + Page - 1) & ~(Page - 1) : start;
            if (end > mappedEnd && memory.Map(mappedEnd, end - mappedEnd, prot, flags | Mman.MAP_ANONYMOUS, null, 0) < 0)
                return false;
            // The rest of the last page of the file part is zero (padzero).
            if (s.MemorySize > s.FileSize && s.FileSize > 0 && (fileEnd & (Page - 1)) != 0 && (prot & Mman.PROT_WRITE) != 0)
            {
                ulong zeros = Math.Min(mappedEnd, end) - fileEnd;
                if (!memory.Write(fileEnd, new byte[mappedEnd - fileEnd]) && zeros > 0)
                    return false;
            }
            brk = Math.Max(brk, end);
        }
        return true;
    }
}
