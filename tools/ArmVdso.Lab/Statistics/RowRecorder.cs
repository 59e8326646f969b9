using System.Diagnostics;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Lab.Statistics;

/// <summary>Notes which rows of the instruction table begin to execute at EL0.</summary>
public sealed class RowRecorder : IMachineObserver
{
    private readonly bool[] _seen = new bool[RowInfo.Count];

    /// <inheritdoc/>
    public bool WantsInstructions => true;

    /// <summary>Rows seen, in the order of the table, without those that are UNDEFINED.</summary>
    public IEnumerable<Row> Rows => Enumerable.Range(1, RowInfo.Count - 1).Where(i => _seen[i]).Select(i => (Row)i);

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        if (cpu.EL != 0)
            return;
        Row row = Decoder.Decode(instruction);
        if (cpu.Machine.RowEnabled[(int)row] && RowInfo.HasSemantics(row))
            _seen[(int)row] = true;
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }

    /// <summary>Writes a program's name into the rows of a table that have none (coverage.tsv). Several runs may write to one file at the
    /// same time.</summary>
    /// <param name="file">The table.</param>
    /// <param name="program">The program's name.</param>
    /// <exception cref="LabException">The file cannot be read or written.</exception>
    public void MergeInto(string file, string program)
    {
        var wait = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var stream = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                RowCoverage coverage = RowCoverage.Read(new StreamReader(stream, leaveOpen: true));
                foreach (Row row in Rows)
                    coverage.AddProgram(row, program);
                stream.SetLength(0);
                using var writer = new StreamWriter(stream) { NewLine = "\n" };
                coverage.Write(writer);
                return;
            }
            catch (IOException) when (wait.Elapsed < TimeSpan.FromSeconds(10))
            {
                // Another run holds the file.
                Thread.Sleep(20);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                throw new LabException($"{file}: {e.Message}", LabFault.Failed);
            }
        }
    }
}
