namespace ArmVdso.Kernel.Abi;

/// <summary>Names of si_code (include/uapi/asm-generic/siginfo.h).</summary>
public static class SignalCodes
{
    private static readonly string[] Segv =
        ["SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR", "SEGV_ACCADI", "SEGV_ADIDERR", "SEGV_ADIPERR", "SEGV_MTEAERR",
            "SEGV_MTESERR", "SEGV_CPERR"];

    private static readonly string[] Bus = ["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"];

    private static readonly string[] Ill =
        ["ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK", "ILL_BADIADDR"];

    private static readonly string[] Fpe =
        ["FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB"];

    private static readonly string[] Trap =
        ["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK", "TRAP_PERF"];

    private static readonly string[] Child = ["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"];

    private static readonly string[] Poll = ["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"];

    private static readonly string[] Sys = ["SYS_SECCOMP", "SYS_USER_DISPATCH"];

    private static readonly string[] Any =
        ["SI_USER", "SI_QUEUE", "SI_TIMER", "SI_MESGQ", "SI_ASYNCIO", "SI_SIGIO", "SI_TKILL", "SI_DETHREAD"];

    /// <summary>The name of a signal's code, else its number.</summary>
    public static string NameOf(int signal, int code)
    {
        if (code == Signal.SI_KERNEL)
            return "SI_KERNEL";
        if (code <= 0)
            return -code < Any.Length && code > int.MinValue ? Any[-code] : Number(code);
        string[] names = signal switch
        {
            Signal.SIGSEGV => Segv,
            Signal.SIGBUS => Bus,
            Signal.SIGILL => Ill,
            Signal.SIGFPE => Fpe,
            Signal.SIGTRAP => Trap,
            Signal.SIGCHLD => Child,
            Signal.SIGIO => Poll,
            Signal.SIGSYS => Sys,
            _ => [],
        };
        return code <= names.Length ? names[code - 1] : Number(code);
    }

    private static string Number(int code) => code.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
