namespace ArmVdso.Emulator.Isa.Disassembly;

/// <summary>Aliases of SYS by encoding (DDI0487, C5.2 to C5.6): one line for each op1 CRn CRm, then MNEMONIC/OPERATION for each op2 from 0
/// (two lines where one would be too long); - is none, a full stop at the end means that no register is written, an exclamation mark that
/// the alias needs Rt = 31.</summary>
internal static partial class SystemInstructionNames
{
    private const string Table = """
        0 7 1 ic/ialluis.
        0 7 5 ic/iallu.
        0 7 6 - dc/ivac dc/isw dc/igvac dc/igsw dc/igdvac dc/igdsw
        0 7 7 - - - - gcspushx! gcspopcx! gcspopx!
        0 7 8 at/s1e1r at/s1e1w at/s1e0r at/s1e0w
        0 7 9 at/s1e1rp at/s1e1wp at/s1e1a
        0 7 10 - - dc/csw - dc/cgsw - dc/cgdsw
        0 7 14 - - dc/cisw - dc/cigsw - dc/cigdsw
        0 8 1 tlbi/vmalle1os. tlbi/vae1os tlbi/aside1os tlbi/vaae1os - tlbi/vale1os - tlbi/vaale1os
        0 8 2 - tlbi/rvae1is - tlbi/rvaae1is - tlbi/rvale1is - tlbi/rvaale1is
        0 8 3 tlbi/vmalle1is. tlbi/vae1is tlbi/aside1is tlbi/vaae1is - tlbi/vale1is - tlbi/vaale1is
        0 8 5 - tlbi/rvae1os - tlbi/rvaae1os - tlbi/rvale1os - tlbi/rvaale1os
        0 8 6 - tlbi/rvae1 - tlbi/rvaae1 - tlbi/rvale1 - tlbi/rvaale1
        0 8 7 tlbi/vmalle1. tlbi/vae1 tlbi/aside1 tlbi/vaae1 - tlbi/vale1 - tlbi/vaale1
        0 9 1 tlbi/vmalle1osnxs. tlbi/vae1osnxs tlbi/aside1osnxs tlbi/vaae1osnxs - tlbi/vale1osnxs - tlbi/vaale1osnxs
        0 9 2 - tlbi/rvae1isnxs - tlbi/rvaae1isnxs - tlbi/rvale1isnxs - tlbi/rvaale1isnxs
        0 9 3 tlbi/vmalle1isnxs. tlbi/vae1isnxs tlbi/aside1isnxs tlbi/vaae1isnxs - tlbi/vale1isnxs - tlbi/vaale1isnxs
        0 9 5 - tlbi/rvae1osnxs - tlbi/rvaae1osnxs - tlbi/rvale1osnxs - tlbi/rvaale1osnxs
        0 9 6 - tlbi/rvae1nxs - tlbi/rvaae1nxs - tlbi/rvale1nxs - tlbi/rvaale1nxs
        0 9 7 tlbi/vmalle1nxs. tlbi/vae1nxs tlbi/aside1nxs tlbi/vaae1nxs - tlbi/vale1nxs - tlbi/vaale1nxs
        1 7 2 - - - - brb/iall! brb/inj!
        3 7 3 - - - - cfp/rctx dvp/rctx cosp/rctx cpp/rctx
        3 7 4 - dc/zva - dc/gva dc/gzva
        3 7 5 - ic/ivau
        3 7 7 gcspushm - gcsss1
        3 7 10 - dc/cvac - dc/cgvac - dc/cgdvac
        3 7 11 - dc/cvau
        3 7 12 - dc/cvap - dc/cgvap - dc/cgdvap
        3 7 13 - dc/cvadp - dc/cgvadp - dc/cgdvadp
        3 7 14 - dc/civac - dc/cigvac - dc/cigdvac
        4 7 8 at/s1e2r at/s1e2w - - at/s12e1r at/s12e1w at/s12e0r at/s12e0w
        4 7 9 - - at/s1e2a
        4 7 14 dc/cipae - - - - - - dc/cigdpae
        4 8 0 - tlbi/ipas2e1is tlbi/ripas2e1is - - tlbi/ipas2le1is tlbi/ripas2le1is
        4 8 1 tlbi/alle2os. tlbi/vae2os - - tlbi/alle1os. tlbi/vale2os tlbi/vmalls12e1os.
        4 8 2 - tlbi/rvae2is tlbi/vmallws2e1is. - - tlbi/rvale2is
        4 8 3 tlbi/alle2is. tlbi/vae2is - - tlbi/alle1is. tlbi/vale2is tlbi/vmalls12e1is.
        4 8 4 tlbi/ipas2e1os tlbi/ipas2e1 tlbi/ripas2e1 tlbi/ripas2e1os tlbi/ipas2le1os tlbi/ipas2le1 tlbi/ripas2le1 tlbi/ripas2le1os
        4 8 5 - tlbi/rvae2os tlbi/vmallws2e1os. - - tlbi/rvale2os
        4 8 6 - tlbi/rvae2 tlbi/vmallws2e1. - - tlbi/rvale2
        4 8 7 tlbi/alle2. tlbi/vae2 - - tlbi/alle1. tlbi/vale2 tlbi/vmalls12e1.
        4 9 0 - tlbi/ipas2e1isnxs tlbi/ripas2e1isnxs - - tlbi/ipas2le1isnxs tlbi/ripas2le1isnxs
        4 9 1 tlbi/alle2osnxs. tlbi/vae2osnxs - - tlbi/alle1osnxs. tlbi/vale2osnxs tlbi/vmalls12e1osnxs.
        4 9 2 - tlbi/rvae2isnxs tlbi/vmallws2e1isnxs. - - tlbi/rvale2isnxs
        4 9 3 tlbi/alle2isnxs. tlbi/vae2isnxs - - tlbi/alle1isnxs. tlbi/vale2isnxs tlbi/vmalls12e1isnxs.
        4 9 4 tlbi/ipas2e1osnxs tlbi/ipas2e1nxs tlbi/ripas2e1nxs tlbi/ripas2e1osnxs
        4 9 4 - - - - tlbi/ipas2le1osnxs tlbi/ipas2le1nxs tlbi/ripas2le1nxs tlbi/ripas2le1osnxs
        4 9 5 - tlbi/rvae2osnxs tlbi/vmallws2e1osnxs. - - tlbi/rvale2osnxs
        4 9 6 - tlbi/rvae2nxs tlbi/vmallws2e1nxs. - - tlbi/rvale2nxs
        4 9 7 tlbi/alle2nxs. tlbi/vae2nxs - - tlbi/alle1nxs. tlbi/vale2nxs tlbi/vmalls12e1nxs.
        6 7 8 at/s1e3r at/s1e3w
        6 7 9 - - at/s1e3a
        6 8 1 tlbi/alle3os. tlbi/vae3os - - tlbi/paallos. tlbi/vale3os
        6 8 2 - tlbi/rvae3is - - - tlbi/rvale3is
        6 8 3 tlbi/alle3is. tlbi/vae3is - - - tlbi/vale3is
        6 8 4 - - - tlbi/rpaos - - - tlbi/rpalos
        6 8 5 - tlbi/rvae3os - - - tlbi/rvale3os
        6 8 6 - tlbi/rvae3 - - - tlbi/rvale3
        6 8 7 tlbi/alle3. tlbi/vae3 - - tlbi/paall. tlbi/vale3
        6 9 1 tlbi/alle3osnxs. tlbi/vae3osnxs - - tlbi/paallosnxs. tlbi/vale3osnxs
        6 9 2 - tlbi/rvae3isnxs - - - tlbi/rvale3isnxs
        6 9 3 tlbi/alle3isnxs. tlbi/vae3isnxs - - - tlbi/vale3isnxs
        6 9 4 - - - tlbi/rpaosnxs - - - tlbi/rpalosnxs
        6 9 5 - tlbi/rvae3osnxs - - - tlbi/rvale3osnxs
        6 9 6 - tlbi/rvae3nxs - - - tlbi/rvale3nxs
        6 9 7 tlbi/alle3nxs. tlbi/vae3nxs - - tlbi/paallnxs. tlbi/vale3nxs
        """;
}
