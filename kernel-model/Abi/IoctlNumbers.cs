namespace ArmVdso.Kernel.Abi;

/// <summary>Requests of ioctl that files answer (include/uapi/asm-generic/ioctls.h).</summary>
public static class IoctlNumbers
{
#pragma warning disable CS1591 // Names are those of the UAPI headers.
    public const uint TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCSBRK = 0x5409, TCXONC = 0x540A,
        TCFLSH = 0x540B, TIOCEXCL = 0x540C, TIOCSCTTY = 0x540E, TIOCGPGRP = 0x540F, TIOCSPGRP = 0x5410, TIOCOUTQ = 0x5411, TIOCSTI = 0x5412,
        TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414, FIONREAD = 0x541B, TIOCPKT = 0x5420, TIOCGPKT = 0x80045438, FIONBIO = 0x5421,
        TIOCNOTTY = 0x5422, TIOCGSID = 0x5429,
        TCGETS2 = 0x802C542A, TCSETS2 = 0x402C542B, TCSETSW2 = 0x402C542C, TCSETSF2 = 0x402C542D, TIOCGPTN = 0x80045430,
        TIOCSPTLCK = 0x40045431, TIOCGPTLCK = 0x80045439, TIOCGPTPEER = 0x5441, FIONCLEX = 0x5450, FIOCLEX = 0x5451, FIOASYNC = 0x5452,
        RNDGETENTCNT = 0x80045200, RNDRESEEDCRNG = 0x5207;
#pragma warning restore CS1591
}
