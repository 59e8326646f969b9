using System.Globalization;
using System.Reflection;
using System.Text.Json;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Processor;

/// <summary>A CPU profile file is missing or not well formed; the message is one line and names the file and the key.</summary>
public sealed class CpuProfileException(string message) : Exception(message);

/// <summary>One field of an ID register, as a profile states it.</summary>
/// <param name="Register">Register.</param>
/// <param name="Field">Field.</param>
/// <param name="Value">Value, 0 to 15.</param>
/// <param name="Source">Document and section.</param>
public sealed record ProfileField(string Register, string Field, int Value, string Source);

/// <summary>A CPU as a program sees it: ID registers by field, and what follows from them. Profiles are data files
/// (emulator/Processor/profiles/*.json); no profile knows an instruction by name, <see cref="CpuFeatures"/> does.</summary>
[NotState("the settings name it, and it does not change")]
public sealed class CpuProfile
{
    private const string Prefix = "cpus/", Suffix = ".json";
    private readonly Dictionary<string, ulong> _registers = [];
    private readonly List<ProfileField> _fields = [];
    private readonly HashSet<string> _features;

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>One line about it.</summary>
    public string Description { get; }

    /// <summary>Documents that the values come from.</summary>
    public string Source { get; }

    /// <summary>What differs from those documents; empty when nothing.</summary>
    public string Notes { get; }

    /// <summary>MIDR_EL1.</summary>
    public ulong Midr { get; }

    /// <summary>CTR_EL0.</summary>
    public ulong Ctr { get; }

    /// <summary>DCZID_EL0.BS: log2 of the words that DC ZVA zeroes.</summary>
    public ulong Dczid { get; }

    /// <summary>Bits of FPCR that exist.</summary>
    public uint Fpcr { get; }

    /// <summary>The ID register fields that are not zero by default, in the order of the file.</summary>
    public IReadOnlyList<ProfileField> Fields => _fields;

    /// <summary>The features, by the names of the instruction table.</summary>
    public IReadOnlySet<string> Features => _features;

    /// <summary>Names of the profiles that are part of the emulator.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..^Suffix.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>Loads a profile.</summary>
    /// <param name="nameOrPath">A name of <see cref="Names"/>, or the path of a file (it contains '/' or ends in .json).</param>
    /// <exception cref="CpuProfileException">There is none, or it is not well formed.</exception>
    public static CpuProfile Load(string nameOrPath)
    {
        if (nameOrPath.Contains('/') || nameOrPath.EndsWith(Suffix, StringComparison.Ordinal))
        {
            try
            {
                return new CpuProfile(nameOrPath, File.ReadAllText(nameOrPath));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CpuProfileException($"{nameOrPath}: {e.Message}");
            }
        }
        using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + nameOrPath + Suffix)
            ?? throw new CpuProfileException($"there is no CPU profile '{nameOrPath}'; known: {string.Join(", ", Names)}, or a file");
        using var reader = new StreamReader(stream);
        return new CpuProfile(nameOrPath, reader.ReadToEnd());
    }

    private CpuProfile(string file, string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            Name = Text(file, root, "name");
            Description = Text(file, root, "description");
            Source = Text(file, root, "source");
            Notes = root.TryGetProperty("notes", out JsonElement notes) ? notes.GetString() ?? "" : "";
            Midr = Number(file, root, "MIDR_EL1");
            Ctr = Number(file, root, "CTR_EL0");
            Dczid = Number(file, root, "DCZID_EL0");
            Fpcr = (uint)Number(file, root, "FPCR");
            foreach (JsonProperty register in root.GetProperty("registers").EnumerateObject())
                ReadRegister(file, register);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new CpuProfileException($"{file}: {e.Message.Split('\n')[0]}");
        }
        if (Dczid != 4)
            throw new CpuProfileException($"{file}: DCZID_EL0: only 4 (DC ZVA of 64 bytes) is supported");
        _features = CpuFeatures.Of(name => _registers.GetValueOrDefault(name));
    }

    private void ReadRegister(string file, JsonProperty register)
    {
        if (!IdentificationFields.Knows(register.Name))
            throw new CpuProfileException($"{file}: {register.Name}: not an ID register with named fields");
        string source = Text(file, register.Value, "source");
        ulong value = 0;
        foreach (JsonProperty field in register.Value.EnumerateObject())
        {
            if (field.Name == "source")
                continue;
            int lsb = IdentificationFields.Lsb(register.Name, field.Name);
            if (lsb < 0)
                throw new CpuProfileException($"{file}: {register.Name} has no field {field.Name}");
            int number = field.Value.GetInt32();
            if (number is < 0 or > 15)
                throw new CpuProfileException($"{file}: {register.Name}.{field.Name}: {number} does not fit four bits");
            value |= (ulong)number << lsb;
            _fields.Add(new ProfileField(register.Name, field.Name, number, source));
        }
        _registers[register.Name] = value;
    }

    private static string Text(string file, JsonElement element, string key) =>
        element.TryGetProperty(key, out JsonElement value) && value.GetString() is { Length: > 0 } text
            ? text
            : throw new CpuProfileException($"{file}: {key} is missing");

    private static ulong Number(string file, JsonElement element, string key)
    {
        string text = Text(file, element, key);
        return text.StartsWith("0x", StringComparison.Ordinal)
            && ulong.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : throw new CpuProfileException($"{file}: {key}: '{text}' is not a number with 0x");
    }

    /// <summary>Value of an ID register.</summary>
    public ulong Register(string name) => _registers.GetValueOrDefault(name);

    /// <summary>Whether it has a feature, by the name of the instruction table's FEATURE column.</summary>
    public bool Has(string feature) => _features.Contains(feature);

    /// <summary>Whether a row of the instruction table exists: its feature is there, or it is a hint that then does nothing.</summary>
    public bool Has(Row row) => row == Row.Unallocated || Has(RowInfo.Feature(row)) || CpuFeatures.IsHint(row);

    /// <summary>What a failed authentication does (ID_AA64ISAR1_EL1.APA and its twins, DDI0487 D19.2).</summary>
    /// <exception cref="CpuProfileException">FEAT_FPAC without FEAT_FPACCOMBINE is not implemented.</exception>
    public PacFailure PacFailure
    {
        get
        {
            int apa = Field("ID_AA64ISAR1_EL1", "APA"), api = Field("ID_AA64ISAR1_EL1", "API"), apa3 = Field("ID_AA64ISAR2_EL1", "APA3");
            int level = Math.Max(Math.Max(apa, api), apa3);
            return level switch
            {
                0 or 1 => PacFailure.ErrorCode,
                3 => PacFailure.ExclusiveOr,
                5 => PacFailure.Exception,
                _ => throw new CpuProfileException(
                    $"{Name}: pointer authentication of level {level} is not implemented; 1 (PAuth), 3 (PAuth2) and 5 (FPACCOMBINE) are"),
            };
        }
    }

    private int Field(string register, string field) => (int)(Register(register) >> IdentificationFields.Lsb(register, field)) & 15;

    /// <summary>Makes every PE of a machine this CPU. Call it before the machine runs.</summary>
    public void Apply(IMachine machine)
    {
        machine.Profile = this;
        machine.Identification.MIDR_EL1 = Midr;
        machine.Identification.CTR_EL0 = Ctr;
        foreach ((string name, ulong value) in _registers)
            machine.Identification[name] = value;
        for (int i = 1; i < RowInfo.Count; i++)
        {
            machine.RowEnabled[i] = Has((Row)i);
            machine.RowExecuted[i] = CpuFeatures.IsHintSpace((Row)i) && !Has(RowInfo.Feature((Row)i)) ? Row.HINT : (Row)i;
        }
        foreach (Cpu cpu in machine.Cpus)
        {
            cpu.HasLse2 = Has("LSE2");
            cpu.HasPauth = Has("PAUTH");
            cpu.HasBti = Has("BTI");
            cpu.HasPan = Has("PAN");
            cpu.HasSsbs = Has("SSBS_PSTATE");
            cpu.HasMte = Has("MTE");
            cpu.FpcrMask = Fpcr;
            cpu.PacVariant = Field("ID_AA64ISAR1_EL1", "API") != 0 ? PacAlgorithm.ImplementationDefined : PacAlgorithm.Qarma5;
            cpu.PacOnFailure = PacFailure;
        }
    }
}
