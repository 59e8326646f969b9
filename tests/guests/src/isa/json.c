// A JSON reader and printer: nested values, escapes with surrogate pairs, numbers; printed text must come back unchanged.
#include "isa.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

typedef enum { Null, False, True, Number, String, Array, Object } Kind;

typedef struct Value {
    Kind kind;
    double number;
    char *text;          // string, or key of a member
    struct Value *first; // of an array or object
    struct Value *next;  // sibling
    char *key;
} Value;

static const char *at;
static jmp_buf bad;
static char arena[1 << 20];
static size_t arena_used;

static void *allocate(size_t n) {
    void *p = arena + arena_used;
    arena_used += (n + 15) & ~(size_t)15;
    if (arena_used > sizeof arena)
        longjmp(bad, 2);
    return p;
}

static void space(void) {
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
}

static void expect(char c) {
    if (*at++ != c)
        longjmp(bad, 1);
}

static u32 hex4(void) {
    u32 v = 0;
    for (int i = 0; i < 4; i++) {
        char c = *at++;
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0)
            longjmp(bad, 1);
        v = v << 4 | (u32)d;
    }
    return v;
}

static char *utf8(char *out, u32 c) {
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 63));
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

static char *string(void) {
    expect('"');
    const char *end = at;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    char *start = allocate((size_t)(end - at) + 1), *out = start;
    while (*at != '"') {
        if ((u8)*at < 0x20)
            longjmp(bad, 1);
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        at++;
        char c = *at++;
        switch (c) {
        case 'n': *out++ = '\n'; break;
        case 't': *out++ = '\t'; break;
        case 'r': *out++ = '\r'; break;
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case '"': case '\\': case '/': *out++ = c; break;
        case 'u': {
            u32 unit = hex4();
            if (unit >= 0xd800 && unit < 0xdc00) {
                expect('\\');
                expect('u');
                u32 low = hex4();
                if (low < 0xdc00 || low > 0xdfff)
                    longjmp(bad, 1);
                unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            }
            out = utf8(out, unit);
            break;
        }
        default: longjmp(bad, 1);
        }
    }
    at++;
    *out = 0;
    return start;
}

static Value *value(int depth) {
    Value *v = allocate(sizeof *v);
    memset(v, 0, sizeof *v);
    if (depth > 200)
        longjmp(bad, 3);
    space();
    switch (*at) {
    case '{':
    case '[': {
        char close = *at == '{' ? '}' : ']';
        v->kind = *at++ == '{' ? Object : Array;
        Value **tail = &v->first;
        space();
        while (*at != close) {
            char *key = NULL;
            space();
            if (close == '}') {
                key = string();
                space();
                expect(':');
            }
            *tail = value(depth + 1);
            (*tail)->key = key;
            tail = &(*tail)->next;
            space();
            if (*at == ',') {
                at++;
                space();
                if (*at == close)
                    longjmp(bad, 1);
            } else if (*at != close) {
                longjmp(bad, 1);
            }
        }
        at++;
        break;
    }
    case '"':
        v->kind = String;
        v->text = string();
        break;
    case 't': case 'f': case 'n': {
        static const char *const names[] = { "null", "false", "true" };
        for (int k = 0; k < 3; k++)
            if (strncmp(at, names[k], strlen(names[k])) == 0) {
                v->kind = (Kind)k;
                at += strlen(names[k]);
                return v;
            }
        longjmp(bad, 1);
    }
    default: {
        if (*at != '-' && (*at < '0' || *at > '9'))
            longjmp(bad, 1);
        char *end;
        v->kind = Number;
        v->number = strtod(at, &end);
        at = end;
    }
    }
    return v;
}

static char text[1 << 17];
static size_t length;

static void emit(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    length += (size_t)vsnprintf(text + length, sizeof text - length, format, arguments);
    va_end(arguments);
}

static void print_string(const char *s) {
    emit("\"");
    for (; *s; s++) {
        u8 c = (u8)*s;
        if (c == '"' || c == '\\') {
            emit("\\%c", c);
        } else if (c < 0x20) {
            emit("\\u%04x", c);
        } else if (c < 0x80) {
            emit("%c", c);
        } else {
            int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
            u32 code = c & (0x3fu >> more);
            while (more--)
                code = code << 6 | ((u8)*++s & 63);
            if (code >= 0x10000)
                emit("\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
            else
                emit("\\u%04x", code);
        }
    }
    emit("\"");
}

static void print(const Value *v) {
    switch (v->kind) {
    case Null: emit("null"); break;
    case False: emit("false"); break;
    case True: emit("true"); break;
    case Number: emit(floor(v->number) == v->number && fabs(v->number) < 1e15 ? "%.0f" : "%.17g", v->number); break;
    case String: print_string(v->text); break;
    default:
        emit(v->kind == Array ? "[" : "{");
        for (const Value *c = v->first; c; c = c->next) {
            if (c->key) {
                print_string(c->key);
                emit(":");
            }
            print(c);
            if (c->next)
                emit(",");
        }
        emit(v->kind == Array ? "]" : "}");
    }
}

// What reading and printing gives, or how it is refused.
static const char *normal(const char *json) {
    arena_used = length = 0;
    at = json;
    int reason = setjmp(bad);
    if (reason) {
        sprintf(text, "refused %d", reason);
        return text;
    }
    Value *v = value(0);
    space();
    if (*at)
        longjmp(bad, 4);
    print(v);
    return text;
}

static void same(const char *what, const char *json, const char *expected) {
    const char *got = normal(json);
    check(what, strcmp(got, expected) == 0);
    if (strcmp(got, expected) != 0)
        printf("  expected %s\n  got      %s\n", expected, got);
}

static void random_value(char **out, int depth) {
    u32 kind = (u32)(random64() >> 33) % (depth > 5 ? 5 : 8);
    switch (kind) {
    case 0: *out += sprintf(*out, "null"); break;
    case 1: *out += sprintf(*out, "true"); break;
    case 2: *out += sprintf(*out, "%lld", (long long)(random64() >> 20) - (1ll << 42)); break;
    case 3: *out += sprintf(*out, "%.17g", (double)(int64_t)random64() * pow(10, (int)(random64() >> 58) - 32)); break;
    case 4:
        *out += sprintf(*out, "\"");
        for (int i = (int)(random64() >> 60); i >= 0; i--)
            *out += random64() >> 63 ? sprintf(*out, "%c", (int)('a' + (random64() >> 33) % 26)) : sprintf(*out, "\\u%04x",
        (unsigned)(0x100 + (random64() >> 33) % 0x2000));
        *out += sprintf(*out, "\"");
        break;
    default:
        *out += sprintf(*out, kind & 1 ? "[" : "{");
        for (int i = (int)(random64() >> 62) + 1; i; i--) {
            if (!(kind & 1))
                *out += sprintf(*out, "\"k%d\":", i);
            random_value(out, depth + 1);
            *out += sprintf(*out, i > 1 ? "," : "");
        }
        *out += sprintf(*out, kind & 1 ? "]" : "}");
    }
}

int main(void) {
    same("literals", " [ null , true,false ] ", "[null,true,false]");
    same("numbers", "[0,-0,1e3,-1.5,0.1,1E-7,123456789012345678,2.2250738585072014e-308,4.9e-324,1.7976931348623157e308]",
        "[0,-0,1000,-1.5,0.10000000000000001,9.9999999999999995e-08,1.2345678901234568e+17,"
        "2.2250738585072014e-308,4.9406564584124654e-324,1.7976931348623157e+308]");
    same("escapes", "\"a\\n\\t\\\"\\\\\\/\\u00e9\\u20AC\\ud83d\\ude00\"", "\"a\\u000a\\u0009\\\"\\\\/\\u00e9\\u20ac\\ud83d\\ude00\"");
    same("utf-8", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"", "\"\\u00e9 \\u20ac \\ud83d\\ude00\"");
    same("nested", "{\"a\":{\"b\":[1,[2,[3,{\"c\":{}}]],[]]},\"d\":\"\"}", "{\"a\":{\"b\":[1,[2,[3,{\"c\":{}}]],[]]},\"d\":\"\"}");
    same("comma at the end", "[1,]", "refused 1");
    same("lone surrogate", "\"\\ud800x\"", "refused 1");
    same("control character", "\"\n\"", "refused 1");
    same("something after", "{} {}", "refused 4");
    same("open", "[1,2", "refused 1");
    static char deep[512];
    memset(deep, '[', 300);
    same("too deep", deep, "refused 3");
    static char json[1 << 17], once[1 << 17];
    u32 sum = 0;
    int equal = 1;
    for (int i = 0; i < 12; i++) {
        char *out = json;
        out += sprintf(out, "[");
        for (int k = 0; k < 4; k++) {
            random_value(&out, 0);
            out += sprintf(out, k < 3 ? "," : "]");
        }
        strcpy(once, normal(json));
        equal &= once[0] == '[' && strcmp(once, normal(once)) == 0;
        for (const char *p = once; *p; p++)
            sum = sum * 31 + (u8)*p;
    }
    check("random values come back", equal);
    printf("sum %08x\n", sum);
    return finish("json");
}
