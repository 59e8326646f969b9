using ArmVdso.CallGenerator;

const string usage = """
    Makes what image, EL1 code, guests and kernel model know of the vDSO's functions from vdso-image/calls.tsv.

      ArmVdso.CallGenerator [--root DIR] [--check]

      --root DIR   the working tree (default: the one above the current folder)
      --check      write nothing; exit 1 if a file there differs from what would be written
    """;
bool check = false;
string? root = null;
for (int i = 0; i < args.Length; i++)
{
    if (args[i] == "--check")
        check = true;
    else if (args[i] == "--root" && i + 1 < args.Length)
        root = args[++i];
    else
        return Fail(usage);
}
for (DirectoryInfo? d = new(Environment.CurrentDirectory); root is null && d is not null; d = d.Parent)
{
    if (File.Exists(Path.Join(d.FullName, CallProducts.Table)))
        root = d.FullName;
}
if (root is null || !File.Exists(Path.Join(root, CallProducts.Table)))
    return Fail($"there is no {CallProducts.Table}; give --root DIR");
CallTable table;
try
{
    table = CallTable.Read(Path.Join(root, CallProducts.Table));
}
catch (FormatException e)
{
    return Fail(e.Message);
}
int differ = 0;
foreach ((string path, string text) in CallProducts.Of(table))
{
    string file = Path.Join(root, path);
    if (check)
    {
        if (File.Exists(file) && File.ReadAllText(file) == text)
            continue;
        Console.Error.WriteLine($"{path} is not what {CallProducts.Table} gives; run build-products.sh");
        differ++;
    }
    else
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
return differ == 0 ? 0 : 1;

static int Fail(string message)
{
    Console.Error.WriteLine(message);
    return 2;
}
