using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>adjtimex and clock_adjtime (kernel/time/ntp.c, timekeeping.c: do_adjtimex).</summary>
internal static class SysAdjTime
{
#pragma warning disable CS1591
    private const uint AdjOffset = 1, AdjFrequency = 2, AdjMaxError = 4, AdjEstError = 8, AdjStatus = 0x10, AdjTimeConst = 0x20,
        AdjTai = 0x80, AdjSetOffset = 0x100, AdjMicro = 0x1000, AdjNano = 0x2000, AdjTick = 0x4000, AdjAdjTime = 0x8000,
        AdjReadOnly = 0x2000;
#pragma warning restore CS1591

    /// <summary>MAXFREQ as struct timex has it (500 ppm in 2^-16 ppm), and the ticks that ADJ_TICK takes, in us.</summary>
    private const long Tolerance = 500L << 16, LeastTickUs = 9_000, MostTickUs = 11_000;

    private const int TimexSize = 208;

    /// <summary>adjtimex(buf).</summary>
    public static long AdjTimex(SyscallContext c) => Adjust(c, c.Arg(0), null);

    /// <summary>clock_adjtime(clock, buf).</summary>
    public static long ClockAdjTime(SyscallContext c) => c.Int(0) switch
    {
        Clocks.Realtime => Adjust(c, c.Arg(1), null),
        int clock when SysTime.Auxiliary(c, clock) is { } auxiliary => Adjust(c, c.Arg(1), auxiliary),
        _ => SysTime.IsKnown(c.Int(0)) ? -Errno.EOPNOTSUPP : -Errno.EINVAL,
    };

    /// <summary>Adjusts an auxiliary clock; null: the system's.</summary>
    private static long Adjust(SyscallContext c, ulong address, AuxiliaryClock? auxiliary)
    {
        var timex = new byte[TimexSize];
        if (!c.Memory.Read(address, timex))
            return -Errno.EFAULT;
        uint modes = BitConverter.ToUInt32(timex);
        long At(int offset) => BitConverter.ToInt64(timex, offset);
        long error = Check(c, modes, At(16), At(80), At(88));
        if (error == 0 && auxiliary is not null)
            error = CheckAuxiliary(modes, BitConverter.ToInt32(timex, 40));
        if (error < 0)
            return error;
        if (auxiliary is { Enabled: false })
            return -Errno.ENODEV;
        Timekeeper time = c.Timekeeper;
        NtpDiscipline ntp = auxiliary?.Ntp ?? time.Ntp;
        if ((modes & AdjSetOffset) != 0)
        {
            long part = At(80) * ((modes & AdjNano) != 0 ? 1 : 1000);
            Int128 target = (Int128)(auxiliary?.NowNs ?? (long)time.RealtimeNs) + (Int128)At(72) * 1_000_000_000 + part;
            // timekeeping_inject_offset: neither before 1970 nor before the boot; an auxiliary clock: not before 0.
            if (target < (auxiliary is null ? (long)time.NowNs : 0) || target > long.MaxValue / 2)
                return -Errno.EINVAL;
            if (auxiliary is null)
                time.SetRealtime((long)target);
            else
                auxiliary.Set((long)target);
        }
        long offset = ntp.OffsetNs;
        if ((modes & AdjAdjTime) != 0)
        {
            offset = ntp.AdjustUs;
            if ((modes & AdjReadOnly) == 0)
            {
                offset = ntp.SetSingleShot(At(8));
                Changed();
            }
        }
        else
        {
            Apply(time, ntp, modes, timex);
            if (modes != 0)
                Changed();
            offset = (ntp.Status & NtpDiscipline.StaNano) != 0 ? ntp.OffsetNs : ntp.OffsetNs / 1000;
        }
        Fill(timex, ntp, auxiliary?.NowNs ?? (long)time.RealtimeNs, auxiliary is null ? time.TaiOffset : 0, modes, offset);
        return c.Memory.Write(address, timex) ? ntp.Result : -Errno.EFAULT;

        void Changed()
        {
            if (auxiliary is null)
                time.Changed();
            else
                auxiliary.RateChanged();
        }
    }

    /// <summary>What an auxiliary clock has not: leap seconds, an offset of TAI, pulses a second (timekeeping_validate_timex).</summary>
    private static long CheckAuxiliary(uint modes, int status)
    {
        const int none = NtpDiscipline.StaIns | NtpDiscipline.StaDel | NtpDiscipline.StaPpsFreq | NtpDiscipline.StaPpsTime;
        return ((modes & AdjStatus) != 0 && (status & none) != 0) || (modes & AdjTai) != 0 ? -Errno.EINVAL : 0;
    }

    private static long Check(SyscallContext c, uint modes, long frequency, long part, long tick)
    {
        bool singleShot = (modes & AdjAdjTime) != 0;
        if (singleShot && (modes & AdjOffset) == 0)
            return -Errno.EINVAL;
        bool changes = singleShot ? (modes & AdjReadOnly) == 0 : modes != 0;
        if (changes && !c.Task.Credentials.Has(Capability.SysTime))
            return -Errno.EPERM;
        if (singleShot)
            return 0;
        if ((modes & AdjTick) != 0 && tick is < LeastTickUs or > MostTickUs)
            return -Errno.EINVAL;
        if ((modes & AdjSetOffset) != 0)
        {
            if (part < 0 || part >= ((modes & AdjNano) != 0 ? 1_000_000_000 : 1_000_000))
                return -Errno.EINVAL;
        }
        if ((modes & AdjFrequency) != 0 && (frequency < long.MinValue / 1000 >> 16 || frequency > long.MaxValue / 1000 >> 16))
            return -Errno.EINVAL;
        return 0;
    }

    /// <summary>process_adjtimex_modes.</summary>
    private static void Apply(Timekeeper time, NtpDiscipline ntp, uint modes, byte[] timex)
    {
        long At(int offset) => BitConverter.ToInt64(timex, offset);
        if ((modes & AdjStatus) != 0)
            ntp.SetStatus(BitConverter.ToInt32(timex, 40));
        if ((modes & AdjNano) != 0)
            ntp.SetNano(true);
        if ((modes & AdjMicro) != 0)
            ntp.SetNano(false);
        if ((modes & AdjFrequency) != 0)
            ntp.SetFrequency(Math.Clamp(At(16), -Tolerance, Tolerance));
        const long maxErrorUs = 16_000_000;
        if ((modes & AdjMaxError) != 0)
            ntp.MaxError = Math.Clamp(At(24), 0, maxErrorUs);
        if ((modes & AdjEstError) != 0)
            ntp.EstimatedError = Math.Clamp(At(32), 0, maxErrorUs);
        if ((modes & AdjTimeConst) != 0)
            ntp.SetTimeConstant(At(48));
        if ((modes & AdjTai) != 0 && At(48) is >= 0 and <= 100_000)
            time.TaiOffset = (int)At(48);
        if ((modes & AdjOffset) != 0)
            ntp.UpdateOffset(At(8));
        if ((modes & AdjTick) != 0)
            ntp.SetTick(At(88));
    }

    private static void Fill(byte[] t, NtpDiscipline ntp, long now, int tai, uint modes, long offset)
    {
        Array.Clear(t);
        BitConverter.TryWriteBytes(t, modes);
        BitConverter.TryWriteBytes(t.AsSpan(8), offset);
        BitConverter.TryWriteBytes(t.AsSpan(16), ntp.Frequency);
        BitConverter.TryWriteBytes(t.AsSpan(24), ntp.MaxError);
        BitConverter.TryWriteBytes(t.AsSpan(32), ntp.EstimatedError);
        BitConverter.TryWriteBytes(t.AsSpan(40), ntp.Status);
        BitConverter.TryWriteBytes(t.AsSpan(48), ntp.TimeConstant);
        BitConverter.TryWriteBytes(t.AsSpan(56), 1L);
        BitConverter.TryWriteBytes(t.AsSpan(64), Tolerance);
        BitConverter.TryWriteBytes(t.AsSpan(72), now / 1_000_000_000);
        BitConverter.TryWriteBytes(t.AsSpan(80), now % 1_000_000_000 / ((ntp.Status & NtpDiscipline.StaNano) != 0 ? 1 : 1000));
        BitConverter.TryWriteBytes(t.AsSpan(88), ntp.TickUs);
        BitConverter.TryWriteBytes(t.AsSpan(160), tai);
    }
}
