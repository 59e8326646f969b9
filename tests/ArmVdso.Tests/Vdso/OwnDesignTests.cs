using System.Globalization;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Tests.Vdso;

/// <summary>Designs in folders (docs/own-design.md): begun, built, run, compared, checked; and what is told when something in one is
/// wrong.</summary>
public sealed class OwnDesignTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-own-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Begin(string name = "own")
    {
        string at = Path.Join(_folder, name);
        ArmVdsoLab.InitDesign(at);
        return at;
    }

    private static void Change(string file, string from, string to)
    {
        string text = File.ReadAllText(file);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(from, to, StringComparison.Ordinal));
    }

    private static void AllHeld(CheckResult result) => Assert.True(
        result.Held, string.Join('\n', result.Cells.Where(c => c.Failed > 0).Select(c => $"{c.Function} {c.Event} {c.Schedule}")));

    /// <summary>What begins a design is a whole one.</summary>
    [Fact]
    public void BegunDesignAnswersGetpid()
    {
        string own = Begin();
        ArmVdsoLab.BuildDesign(own);
        FunctionComparison getpid = new ArmVdsoLab(new SessionSettings { Core = "none", Vdso = own }).Compare(["getpid"]).Functions[0];
        Assert.Equal(0, getpid.Vdso!.Wrong);
        Assert.InRange(getpid.Vdso.Fallbacks, 0, getpid.Vdso.Calls / 10);
        string[] events = ["irq", "migrate", "aba", "signal", "fork", "vfork", "exec", "newns", "race", "mid-own"];
        AllHeld(new ArmVdsoLab().Check(own, null, events));
    }

    /// <summary>Hooks are executed and seen: without the second look at the register the same events find wrong answers.</summary>
    [Fact]
    public void CheckFindsWhatIsWrongWithAnOwnProtocol()
    {
        string own = Begin();
        Change(Path.Join(own, "vdso.c"), "if (own_register() != __register)", "if (0)");
        ArmVdsoLab.BuildDesign(own);
        CheckResult result = new ArmVdsoLab().Check(own, null, ["migrate"]);
        Assert.False(result.Held);
        Assert.Equal($"{own}/getpid/migrate@", result.Cells.First(c => c.Failed > 0).Schedule!.ToString()![..^1]);
    }

    /// <summary>A slot whose word is wrong for everybody has no cause that lies in switches, and none is told.</summary>
    [Fact]
    public void CausesAreThoseThatWereSeen()
    {
        string own = Begin();
        Change(Path.Join(own, "hooks.c"), "slot->pid = task->pid;", "slot->pid = 12345;");
        ArmVdsoLab.BuildDesign(own);
        CallFigures getpid =
            new ArmVdsoLab(new SessionSettings { Core = "none", Vdso = own }).Compare(["getpid"]).Functions[0].Vdso!;
        Assert.Equal(getpid.Calls, getpid.Wrong + getpid.Fallbacks);
        Assert.Equal(0, getpid.Seen.OfAnother);
        Assert.InRange(getpid.Seen.Interrupted, 0, getpid.Calls / 10);
    }

    /// <summary>Faults have places in an image of another compiler's, where the checks of the sequence come in another order.</summary>
    [Fact]
    public void MutantsOfAnImageOfGcc()
    {
        string gcc = Directory.CreateDirectory(Path.Join(_folder, "gcc")).FullName, source = Path.Join(_folder, "gcc.c");
        const string header = """
            struct seat { unsigned count; int who; } __attribute__((aligned(64)));
            struct board { struct seat seats[64]; };
            """;
        File.WriteAllText(Path.Join(gcc, "board.h"), header);
        File.WriteAllText(source, header + """

            extern const volatile struct board theirs __attribute__((visibility("hidden")));
            static inline unsigned long seat(void) { unsigned long v; __asm__ volatile("mrs %0, tpidrro_el0" : "=r"(v)); return v; }
            int __kernel_getuid(void)
            {
            	register long x8 __asm__("x8") = 174;
            	register long x0 __asm__("x0") = 0;
            	unsigned long v = seat();
            	const volatile struct seat *s = &theirs.seats[v - 1];
            	if (v) {
            		unsigned count = s->count;
            		__asm__ volatile("dmb ishld" : : : "memory");
            		int who = s->who;
            		__asm__ volatile("dmb ishld" : : : "memory");
            		if (!(count & 1) && seat() == v && s->count == count)
            			return who;
            	}
            	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory");
            	return x0;
            }
            __asm__(".globl __kernel_rt_sigreturn\n__kernel_rt_sigreturn: mov x8, #139\nsvc #0");
            """);
        File.WriteAllText(
            source + ".lds",
            """
            SECTIONS {
            	PROVIDE_HIDDEN(theirs = . - 4096);
            	. = SIZEOF_HEADERS;
            	.hash : { *(.hash) } :text
            	.dynsym : { *(.dynsym) }
            	.dynstr : { *(.dynstr) }
            	.dynamic : { *(.dynamic) } :text :dynamic
            	.text : { *(.text*) } :text
            	.rest : { *(.rodata* .got* .plt* .rela*) }
            	/DISCARD/ : { *(.comment .eh_frame .note*) }
            }
            PHDRS { text PT_LOAD FLAGS(5) FILEHDR PHDRS; dynamic PT_DYNAMIC FLAGS(4); }
            """);
        (int status, _, string errors) = GuestPrograms.Run(
            "aarch64-linux-gnu-gcc", "-O2", "-fPIC", "-ffreestanding", "-nostdlib", "-shared", "-mcmodel=tiny", $"-Wl,-T,{source}.lds",
            "-Wl,-soname=linux-vdso.so.1,-Bsymbolic,--hash-style=sysv", "-o", Path.Join(gcc, "theirs.so"), source);
        Assert.True(status == 0, errors);
        File.WriteAllText(Path.Join(gcc, "hooks.c"), """
            #include <armvdso/hooks.h>
            #include "board.h"

            VDSO_UPDATE(task, cpu)
            {
            	struct seat *seat = (struct seat *)cpu->vdso_slot;

            	VDSO_WRITE(seat->count, seat->count + 1);
            	__asm__ volatile("dmb ishst" : : : "memory");
            	seat->who = task->uid;
            	__asm__ volatile("dmb ishst" : : : "memory");
            	VDSO_WRITE(seat->count, seat->count + 1);
            	return cpu->number + 1;
            }

            void vdso_credentials_changed(struct vdso_task *task, struct vdso_cpu *cpu)
            {
            	(void)cpu;
            	vdso_refresh_task(task);
            }

            void vdso_word_changed(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word)
            {
            	struct seat *seat = cpu ? (struct seat *)cpu->vdso_slot : 0;

            	if (seat && word == VDSO_UID) {
            		VDSO_WRITE(seat->count, seat->count + 1);
            		__asm__ volatile("dmb ishst /* of the hook */" : : : "memory");
            		VDSO_WRITE(seat->who, 1);
            		VDSO_WRITE(seat->who, task->uid);
            		__asm__ volatile("dmb ishst" : : : "memory");
            		VDSO_WRITE(seat->count, seat->count + 1);
            	}
            	vdso_refresh_task(task);
            }
            """);
        File.WriteAllText(
            Path.Join(gcc, "design.ini"),
            "image = theirs.so\ndata-header = board.h\ndata = struct board\ncpu-slots = seats\nwords = uid=who seq=count\n"
            + "hooks = hooks.c\n");
        ArmVdsoLab.BuildDesign(gcc);
        Dictionary<string, MutantResult> faults = new ArmVdsoLab().HuntMutants(gcc, ["getuid"]).ToDictionary(m => m.Mutant);
        foreach (string reader in (string[])["no-first-barrier", "no-second-barrier", "no-odd-check", "no-recheck", "sequence-after-data",
            "no-register-recheck"])
            Assert.Equal(1, faults[reader].Places);
        foreach (string found in (string[])["no-recheck", "sequence-after-data", "no-register-recheck"])
            Assert.True(faults[found].Found, found);
        Assert.Equal(2, faults["switch-no-barriers"].Places);
        Assert.DoesNotContain(faults.Keys, name => name.StartsWith("writer-", StringComparison.Ordinal));
        // What a hook stores for another CPU is seen in any order that its barriers leave.
        AllHeld(new ArmVdsoLab().Check(gcc, ["getuid"], ["hook-idmap", "weak-idmap"]));
        Change(Path.Join(gcc, "hooks.c"), "dmb ishst /* of the hook */", "");
        ArmVdsoLab.BuildDesign(gcc);
        AllHeld(new ArmVdsoLab().Check(gcc, ["getuid"], ["hook-idmap"]));
        Assert.False(new ArmVdsoLab().Check(gcc, ["getuid"], ["weak-idmap"]).Held);
    }

    /// <summary>A design that nobody here has made, as far as this program knows: an image without sources, a header, hooks. Threads have
    /// slots in pages of their process, and a function has a name that no table of ours has.</summary>
    [Fact]
    public void StrangersDesignRunsComparesAndChecks()
    {
        string stranger = Stranger();
        Assert.Contains("data: 0 shared pages, at most 4 a process", ArmVdsoLab.BuildDesign(stranger));
        var lab = new ArmVdsoLab(new SessionSettings { Core = "none", Vdso = stranger });
        ComparisonResult result = lab.Compare(["getpid", "whose_session", "getuid"]);
        Assert.All(result.Functions, f => Assert.Equal((0, 0), (f.Vdso?.Wrong ?? -1, f.Syscall.Wrong)));
        Assert.Equal([0, 0, 0], result.Functions.Select(f => f.Vdso!.Fallbacks));
        AllHeld(new ArmVdsoLab().Check(
            stranger, ["whose_session", "getuid"],
            ["migrate", "setresuid", "setsid", "hook-setsid", "idmap", "threads", "fork", "exec", "moved"]));
        // Right when the hook has returned, wrong in its middle.
        const string store = "VDSO_WRITE(desk_of(task)->numbers[1], task->sid);";
        Change(Path.Join(stranger, "hooks.c"), store, "{ VDSO_WRITE(desk_of(task)->numbers[1], 1); " + store + " }");
        ArmVdsoLab.BuildDesign(stranger);
        AllHeld(new ArmVdsoLab().Check(stranger, ["whose_session"], ["setsid"]));
        Assert.False(new ArmVdsoLab().Check(stranger, ["whose_session"], ["hook-setsid"]).Held);
        Change(Path.Join(stranger, "hooks.c"), "void vdso_word_changed", "void vdso_word_has_changed");
        Change(Path.Join(stranger, "hooks.c"), "#include <armvdso/hooks.h>",
            "#include <armvdso/hooks.h>\nvoid vdso_word_has_changed(struct vdso_task *, struct vdso_cpu *, enum vdso_word);");
        ArmVdsoLab.BuildDesign(stranger);
        Assert.False(new ArmVdsoLab().Check(stranger, ["whose_session"], ["setsid"]).Held);
    }

    private string Stranger()
    {
        string made = Begin("made"), stranger = Directory.CreateDirectory(Path.Join(_folder, "stranger")).FullName;
        File.WriteAllText(Path.Join(made, "vdso.c"), """
            #include "data.h"
            #define GET(symbol, word, number)								\
            	__attribute__((visibility("default"))) int symbol(int pid);				\
            	int symbol(int pid)									\
            	{											\
            		register long x8 __asm__("x8") = number;					\
            		register long x0 __asm__("x0") = pid;						\
            		const volatile struct desk *desk;						\
            		__asm__("mrs %0, tpidrro_el0" : "=r"(desk));					\
            		if (desk && !(number == 156 && pid))						\
            			return desk->word;							\
            		__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory");			\
            		return x0;									\
            	}
            GET(__kernel_getpid, numbers[0], 172)
            GET(__kernel_getuid, user, 174)
            GET(__vdso_whose_session, numbers[1], 156)
            """);
        const string header = """
            struct desk {
            	unsigned user;
            	unsigned numbers[3];
            };
            """;
        File.WriteAllText(
            Path.Join(made, "data.h"), header + "struct own_data { struct { int cpu, pid; } slots[8]; };\n#define OWN_OFFSET 255\n");
        Change(
            Path.Join(made, "hooks.c"), "struct own_slot *slot = (struct own_slot *)cpu->vdso_slot;",
            "struct { int cpu, pid; } s, *slot = &s;");
        ArmVdsoLab.BuildDesign(made);
        File.Copy(Path.Join(made, "built", "vdso.so"), Path.Join(stranger, "theirs.so"));
        File.WriteAllText(Path.Join(stranger, "desk.h"), header);
        File.WriteAllText(Path.Join(stranger, "hooks.c"), """
            #include <armvdso/hooks.h>
            #include "desk.h"

            static struct desk *desk_of(const struct vdso_task *task)
            {
            	return (struct desk *)task->vdso_slot;
            }

            VDSO_UPDATE(task, cpu)
            {
            	(void)cpu;
            	if (!task->vdso_slot)
            		return 0;
            	desk_of(task)->user = task->uid;
            	desk_of(task)->numbers[0] = task->pid;
            	desk_of(task)->numbers[1] = task->sid;
            	return task->vdso_register;
            }

            VDSO_SWITCH(task, cpu)
            {
            	(void)cpu;
            	return task->vdso_register;
            }

            void vdso_credentials_changed(struct vdso_task *task, struct vdso_cpu *cpu)
            {
            	(void)cpu;
            	vdso_refresh_task(task);
            }

            void vdso_namespace_entered(struct vdso_task *task, struct vdso_cpu *cpu)
            {
            	(void)cpu;
            	vdso_refresh_task(task);
            }

            void vdso_word_changed(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word)
            {
            	(void)cpu;
            	if (!task->vdso_slot)
            		return;
            	if (word == VDSO_SID)
            		VDSO_WRITE(desk_of(task)->numbers[1], task->sid);
            	else if (word == VDSO_UID)
            		VDSO_WRITE(desk_of(task)->user, task->uid);
            	vdso_refresh_task(task);
            }
            """);
        File.WriteAllText(Path.Join(stranger, "design.ini"), """
            image = theirs.so
            data-header = desk.h
            thread-slots = struct desk
            private-pages = 4
            words = uid=user pid=numbers[0] sid=numbers[1]
            hooks = hooks.c
            [functions]
            __vdso_whose_session = getsid(0): value
            """);
        return stranger;
    }

    /// <summary>A hook's stores are seen, named by its symbol, and faults are planted there.</summary>
    [Fact]
    public void StoresOfHooksAreShownAndSpoilt()
    {
        string stranger = Stranger();
        ArmVdsoLab.BuildDesign(stranger);
        var lab = new ArmVdsoLab();
        using var text = new StringWriter();
        Assert.True(lab.Replay($"{stranger}/whose_session/setsid@1", text, null, true));
        Assert.Matches("vdso_word_changed\\+0x[0-9a-f]+ +str w\\d+, .* stores \\[vvar\\]", text.ToString());
        List<FaultResult> faults = [.. lab.PlantFaults(stranger, ["whose_session"], ["setsid"])
            .Where(f => f.Place.StartsWith("vdso_word_changed+", StringComparison.Ordinal))];
        Assert.Contains(faults, f => f.Kind == "dropped" && f.Reason.StartsWith("changed memory", StringComparison.Ordinal));
    }

    /// <summary>A page of the process that all of its threads read: right for what they have in common.</summary>
    [Fact]
    public void ProcessHasOneSlotForItsThreads()
    {
        string own = Stranger();
        Change(
            Path.Join(own, "design.ini"), "thread-slots = struct desk\nprivate-pages = 4",
            "process-data = struct desk\nleaves = new-program");
        Assert.Contains("data: 0 shared pages, at most 1 a process", ArmVdsoLab.BuildDesign(own));
        AllHeld(new ArmVdsoLab().Check(own, ["getpid"], ["migrate", "fork", "vfork", "threads", "exec", "killed", "moved"]));
    }

    /// <summary>An image as a kernel tree makes it, with that kernel's clocks below it.</summary>
    [Fact]
    public void StockImageIsADesignToo()
    {
        string own = Directory.CreateDirectory(Path.Join(_folder, "linux")).FullName;
        File.Copy(StockImages.Path("6.12"), Path.Join(own, "linux.so"));
        File.WriteAllText(Path.Join(own, "design.ini"), "image = linux.so\nclock = auto\n");
        ArmVdsoLab.BuildDesign(own);
        var lab = new ArmVdsoLab(new SessionSettings { Core = "none", Vdso = own });
        FunctionComparison clock = lab.Compare(["clock_gettime_monotonic"]).Functions[0];
        Assert.Equal((39UL, 0L), (clock.Vdso!.Instructions, clock.Vdso.Fallbacks));
        AllHeld(new ArmVdsoLab().Check(own, ["clock_gettime_realtime_coarse"], ["tick", "timens", "weak-tick", "moved"]));
    }

    /// <summary>What hooks.h says of the records is what EL1 code has: the compiler compares both headers.</summary>
    [Fact]
    public void RecordsOfHooksAreThoseOfEl1Code()
    {
        string own = Begin();
        string Same(string type, string member, string constant) =>
            $"_Static_assert(__builtin_offsetof(struct {type}, {member}) == {constant}, \"{member}\");\n";
        string[] words = ["pid", "tid", "uid", "euid", "gid", "egid", "ppid", "pgid", "sid"];
        File.AppendAllText(Path.Join(own, "hooks.c"), string.Concat(
            ["#include <armvdso/el1/layout.h>\n", .. words.Select(w => Same("vdso_task", w, "TSK_" + w.ToUpperInvariant())),
            Same("vdso_task", "vdso_slot", "TSK_VDSO_SLOT"), Same("vdso_task", "vdso_register", "TSK_VDSO_REGISTER"),
            Same("vdso_task", "foreign", "TSK_VDSO_FOREIGN"), Same("vdso_task", "pid_ns", "TSK_PIDNS"),
            Same("vdso_task", "pid_ns_level", "TSK_PIDNS_LEVEL"), Same("vdso_task", "image", "TSK_VDSO_BASE"),
            Same("vdso_task", "vdso_own", "TSK_VDSO_OWN"), Same("vdso_cpu", "number", "CPU_NUMBER"), Same("vdso_cpu", "node", "CPU_NODE"),
            Same("vdso_cpu", "vdso_slot", "CPU_VDSO_SLOT"), Same("vdso_cpu", "vdso_offset", "CPU_VDSO_OFFSET"),
            Same("vdso_cpu", "current", "CPU_CURRENT"), Same("vdso_cpu", "vdso_own", "CPU_VDSO_OWN"), Same("vdso_regs", "sp", "S_SP"),
            Same("vdso_regs", "pc", "S_PC"), Same("vdso_regs", "pstate", "S_PSTATE"),
            "_Static_assert(VDSO_HVC_REFRESH == HVC_VDSO_REFRESH, \"HVC\");\n"]));
        ArmVdsoLab.BuildDesign(own);
    }

    /// <summary>Each error names the file, the line and the field.</summary>
    [Theory]
    [InlineData("design.ini", "cpu-slots    = slots", "cpu-slots    = slot", "design.ini:12: error: no member named 'slot'")]
    [InlineData("design.ini", "words        = cpu pid", "words        = cpu tid", "design.ini:13: error: no member named 'tid'")]
    [InlineData("design.ini", "hooks        = hooks.c", "hook         = hooks.c", "design.ini:16: there is no field 'hook'; known: name")]
    [InlineData("design.ini", "hooks        = hooks.c", "hooks        = hook.c", "design.ini:16: hooks:")]
    [InlineData("design.ini", "hooks        = hooks.c", "hooks        = -o", "design.ini:16: hooks: '-o' is no name of a file")]
    [InlineData("design.ini", "name         = own", "name         = o w", "design.ini:2: name:")]
    [InlineData("design.ini", "name         = own", "ranges       = restart", "design.ini:2: ranges: the image has 0 ranges")]
    [InlineData(
        "design.ini", "name         = own", "clock        = 7.9",
        "design.ini:2: clock: there is no '7.9'; known: none, data, auto, 6.1")]
    [InlineData("design.ini", "name         = own", "process-data = int", "design.ini:12: cpu-slots: a design has one of")]
    [InlineData("design.ini", "name         = own", "pages        = clock data", "design.ini:2: pages: 'clock data' is no order")]
    [InlineData("design.ini", "name         = own", "[function]", "design.ini:2: '[function]' is no section")]
    [InlineData(
        "design.ini", "hooks        = hooks.c", "[functions]\n__kernel_x = getsid(0): value",
        "design.ini:17: __kernel_x: the image has no")]
    [InlineData(
        "design.ini", "hooks        = hooks.c", "[functions]\n__kernel_getpid = getp(): value",
        "design.ini:17: __kernel_getpid: there is no")]
    [InlineData(
        "hooks.c", "slot->pid = task->pid;", "slot->pid = task->pidd;",
        "hooks.c:11:20: error: no member named 'pidd' in 'struct vdso_task'")]
    [InlineData("hooks.c", "slot->pid = task->pid;", "slot->pid = elsewhere();", "hooks.c:11")]
    [InlineData(
        "hooks.c", "(void)cpu;", "extern void elsewhere(void); elsewhere(); (void)cpu;",
        "undefined symbol: elsewhere (referenced by hook")]
    [InlineData(
        "hooks.c", "(void)cpu;", "(void)cpu; static char much[1 << 20]; __asm__ volatile(\"\" : : \"r\"(much));",
        "hooks.elf: it has")]
    [InlineData("data.h", "#define OWN_CPUS	64", "#define OWN_CPUS 1000000", "design.ini:11: data: its")]
    [InlineData("data.h", "unsigned int pid;", "unsigned it pid;", "data.h:11:")]
    [InlineData(
        "vdso.c", "EXPORT int __kernel_getpid(void)\n{", "static int state; EXPORT int __kernel_getpid(void)\n{ state++;",
        "own: ld.lld")]
    [InlineData("sigreturn.S", ".globl", ".hidden", "it has no __kernel_rt_sigreturn")]
    public void ErrorsNameFileLineAndField(string file, string from, string to, string said)
    {
        string own = Begin();
        Change(Path.Join(own, file), from, to);
        LabException e = Assert.Throws<LabException>(() => ArmVdsoLab.BuildDesign(own));
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    /// <summary>What a folder holds is not trusted once it is built either.</summary>
    [Theory]
    [InlineData("vdso.so")]
    [InlineData("hooks.elf")]
    [InlineData("layout.tsv")]
    public void DamagedProductsAreOneLine(string product)
    {
        string own = Begin();
        ArmVdsoLab.BuildDesign(own);
        string path = Path.Join(own, "built", product);
        byte[] whole = File.ReadAllBytes(path);
        var random = new Random(7);
        for (int i = 0; i < 300; i++)
        {
            byte[] bytes = [.. whole];
            if (i % 3 == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            for (int n = 0; n < 4 && bytes.Length > 0; n++)
                bytes[random.Next(Math.Min(bytes.Length, n < 2 ? 256 : bytes.Length))] = (byte)random.Next();
            File.WriteAllBytes(path, bytes);
            try
            {
                VdsoDesigns.Create(own);
            }
            catch (ArgumentException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    [Fact]
    public void WhatIsNotBuiltOrHasChangedIsSaid()
    {
        string own = Begin();
        string Said() => Assert.Throws<ArgumentException>(() => VdsoDesigns.Create(own)).Message;
        Assert.Contains("'armvdso vdso build", Said(), StringComparison.Ordinal);
        ArmVdsoLab.BuildDesign(own);
        VdsoDesigns.Create(own);
        File.AppendAllText(Path.Join(own, "hooks.c"), "\n");
        Assert.Contains("hooks.c: it is not as it was built", Said(), StringComparison.Ordinal);
        Assert.Throws<LabException>(() => ArmVdsoLab.InitDesign(own));
    }

    /// <summary>A hook that does not what a hook may ends the run with one line.</summary>
    [Theory]
    [InlineData("vdso_namespace_entered", "for (;;)\n\t\t__asm__ volatile(\"\");", "vdso_namespace_entered of the design, at 0x")]
    [InlineData("vdso_namespace_entered", "*(volatile int *)0x1234560000 = 1;", "faulted: esr=0x96000")]
    [InlineData("vdso_namespace_entered", "__asm__ volatile(\"hvc #3\" : : : \"x0\");", "made the hypercall 3")]
    [InlineData("vdso_namespace_entered", "vdso_refresh_task((void *)8);", "asked for a refresh of 0x8, which is no task")]
    [InlineData("vdso_task_created", "__asm__ volatile(\"hvc #2\" : : : \"x0\");", "vdso_task_created of the design")]
    [InlineData("vdso_task_created", "__asm__ volatile(\"brk #0\");", "vdso_task_created of the design")]
    public void HooksThatGoAstrayEndTheRun(string hook, string code, string said)
    {
        string own = Begin();
        string path = Path.Join(own, "hooks.c"), parent = hook == "vdso_task_created" ? ", struct vdso_task *parent" : "";
        string text = File.ReadAllText(path);
        File.WriteAllText(path, text[..text.IndexOf("/* In another PID", StringComparison.Ordinal)] + string.Create(
            CultureInfo.InvariantCulture,
            $"\nvoid {hook}(struct vdso_task *task, struct vdso_cpu *cpu{parent})\n{{\n\t(void)task;\n\t(void)cpu;\n\t{code}\n}}\n"));
        ArmVdsoLab.BuildDesign(own);
        LabException e = Assert.Throws<LabException>(() => new ArmVdsoLab().Check(own, null, ["userns"]));
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }
}
