using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace ArmVdso.Tests.House;

/// <summary>Which folder of a project refers to which, read from its compiled assembly: bases, interfaces, fields, signatures, locals and
/// every instruction of every body. A folder is a namespace below the project's. Constants leave no trace in an assembly; the sources'
/// using directives are read for them.</summary>
internal sealed class FolderReferences : IDisposable
{
    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(c => (ushort)c.Value + 0);

    private readonly PEReader _file;
    private readonly MetadataReader _metadata;
    private readonly string _root;
    private readonly SortedDictionary<(string From, string To), string> _references = [];

    /// <summary>Reads an assembly.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="root">Namespace of the project's folder.</param>
    internal FolderReferences(string path, string root)
    {
        _root = root;
        _file = new PEReader(File.OpenRead(path));
        _metadata = _file.GetMetadataReader();
        foreach (TypeDefinitionHandle type in _metadata.TypeDefinitions)
            ReadType(type);
    }

    /// <summary>References from one folder to another, each with one place where it is.</summary>
    internal IReadOnlyDictionary<(string From, string To), string> References => _references;

    public void Dispose() => _file.Dispose();

    /// <summary>The folder of a type; null for what the compiler makes outside of all namespaces.</summary>
    private string? FolderOf(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil)
            type = _metadata.GetTypeDefinition(type.GetDeclaringType());
        string space = _metadata.GetString(type.Namespace);
        return space == _root ? "" : space.StartsWith(_root + ".", StringComparison.Ordinal) ? space[(_root.Length + 1)..] : null;
    }

    private void ReadType(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);
        var from = new Place(this, handle);
        from.Refer(type.BaseType);
        foreach (InterfaceImplementationHandle i in type.GetInterfaceImplementations())
            from.Refer(_metadata.GetInterfaceImplementation(i).Interface);
        foreach (FieldDefinitionHandle f in type.GetFields())
            _metadata.GetFieldDefinition(f).DecodeSignature(from, null);
        foreach (MethodDefinitionHandle m in type.GetMethods())
        {
            MethodDefinition method = _metadata.GetMethodDefinition(m);
            method.DecodeSignature(from, null);
            if (method.RelativeVirtualAddress != 0)
                ReadBody(_file.GetMethodBody(method.RelativeVirtualAddress), from);
        }
    }

    private void ReadBody(MethodBodyBlock body, Place from)
    {
        if (!body.LocalSignature.IsNil)
            _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(from, null);
        foreach (ExceptionRegion region in body.ExceptionRegions)
            from.Refer(region.CatchType);
        BlobReader il = body.GetILReader();
        while (il.RemainingBytes > 0)
        {
            int code = il.ReadByte();
            if (code == 0xfe)
                code = code << 8 | il.ReadByte();
            switch (Codes[code].OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok:
                    from.Refer(MetadataTokens.EntityHandle(il.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int cases = il.ReadInt32();
                    il.Offset += 4 * cases;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    il.Offset += 8;
                    break;
                case OperandType.InlineVar:
                    il.Offset += 2;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    il.Offset += 1;
                    break;
                case OperandType.InlineNone:
                    break;
                default:
                    il.Offset += 4;
                    break;
            }
        }
    }

    /// <summary>A type whose references are noted; decodes the signatures that it meets.</summary>
    private sealed class Place(FolderReferences owner, TypeDefinitionHandle type) : ISignatureTypeProvider<bool, object?>
    {
        private readonly MetadataReader _metadata = owner._metadata;

        internal void Refer(EntityHandle handle)
        {
            if (handle.IsNil)
                return;
            switch (handle.Kind)
            {
                case HandleKind.TypeDefinition:
                    Note((TypeDefinitionHandle)handle);
                    break;
                case HandleKind.TypeSpecification:
                    _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                    break;
                case HandleKind.MethodDefinition:
                    Note(_metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType());
                    break;
                case HandleKind.FieldDefinition:
                    Note(_metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                    break;
                case HandleKind.MemberReference:
                    MemberReference member = _metadata.GetMemberReference((MemberReferenceHandle)handle);
                    Refer(member.Parent);
                    break;
                case HandleKind.MethodSpecification:
                    MethodSpecification method = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                    Refer(method.Method);
                    method.DecodeSignature(this, null);
                    break;
            }
        }

        private void Note(TypeDefinitionHandle to)
        {
            if (owner.FolderOf(type) is { } from && owner.FolderOf(to) is { } target && from != target)
                owner._references.TryAdd((from, target), $"{NameOf(type)} refers to {NameOf(to)}");
        }

        private string NameOf(TypeDefinitionHandle handle)
        {
            TypeDefinition definition = _metadata.GetTypeDefinition(handle);
            string name = _metadata.GetString(definition.Name);
            return definition.GetDeclaringType() is { IsNil: false } outer ? $"{NameOf(outer)}.{name}" : name;
        }

        public bool GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            Note(handle);
            return true;
        }

        public bool GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, context);

        public bool GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => true;

        public bool GetPrimitiveType(PrimitiveTypeCode typeCode) => true;

        public bool GetArrayType(bool elementType, ArrayShape shape) => true;

        public bool GetByReferenceType(bool elementType) => true;

        public bool GetFunctionPointerType(MethodSignature<bool> signature) => true;

        public bool GetGenericInstantiation(bool genericType, System.Collections.Immutable.ImmutableArray<bool> typeArguments) => true;

        public bool GetGenericMethodParameter(object? context, int index) => true;

        public bool GetGenericTypeParameter(object? context, int index) => true;

        public bool GetModifiedType(bool modifier, bool unmodifiedType, bool isRequired) => true;

        public bool GetPinnedType(bool elementType) => true;

        public bool GetPointerType(bool elementType) => true;

        public bool GetSZArrayType(bool elementType) => true;
    }
}
