// SPDX-License-Identifier: Apache-2.0
// Turns contract.def into one of its forms: contract_gen c|sv|md >FILE.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum kind { ENUM, VALUE, STRUCT, CONTEXT, FIELD, BITFIELD, END, FLAG, REG };

// One line of the definition, in order. What a member means depends on the kind.
struct item {
    enum kind kind;
    const char *group; // enum, struct or flag group that it belongs to
    const char *name;
    const char *type; // C type of a field's element; access of a register
    unsigned number;  // value, bit, offset, or size in bytes (STRUCT)
    unsigned count;   // elements of a field; 0: a single one
    unsigned bits;    // of one element
    const char *doc;
};

static const struct item items[] = {
#define VERSION(n)
#define ENUM_BEGIN(g, d) { ENUM, #g, #g, 0, 0, 0, 0, d },
#define ENUM_VALUE(g, n, v, d) { VALUE, #g, #n, 0, v, 0, 0, d },
#define ENUM_END(g) { END, #g, #g, 0, 0, 0, 0, 0 },
#define STRUCT_BEGIN(g, size, d) { STRUCT, #g, #g, 0, size, 0, 0, d },
#define STRUCT_END(g) { END, #g, #g, 0, 0, 0, 0, 0 },
#define CONTEXT_BEGIN(g, d) { CONTEXT, #g, #g, 0, 0, 0, 0, d },
#define CONTEXT_END(g) { END, #g, #g, 0, 0, 0, 0, 0 },
#define U8(n, d) { FIELD, 0, #n, "uint8_t", 0, 0, 8, d },
#define U16(n, d) { FIELD, 0, #n, "uint16_t", 0, 0, 16, d },
#define U32(n, d) { FIELD, 0, #n, "uint32_t", 0, 0, 32, d },
#define BYTES(n, c, d) { FIELD, 0, #n, "uint8_t", 0, c, 8, d },
#define RESERVED(c) { FIELD, 0, "reserved", "uint8_t", 0, c, 8, "0" },
#define MEMBER(n, t, c, d) { FIELD, 0, #n, #t, 0, (c) > 1 ? (c) : 0, 0, d },
#define BITS(n, w, d) { BITFIELD, 0, #n, 0, 0, 0, w, d },
#define FLAG(g, n, b, d) { FLAG, #g, #n, 0, b, 0, 0, d },
#define REG(n, o, a, d) { REG, "REG", #n, a, o, 0, 0, d },
#include "contract.def"
};
enum { ITEMS = sizeof(items) / sizeof(*items) };

#undef VERSION
#undef ENUM_BEGIN
#undef ENUM_VALUE
#undef ENUM_END
#undef STRUCT_BEGIN
#undef STRUCT_END
#undef CONTEXT_BEGIN
#undef CONTEXT_END
#undef U8
#undef U16
#undef U32
#undef BYTES
#undef RESERVED
#undef MEMBER
#undef BITS
#undef FLAG
#undef REG
#define VERSION(n) enum { VERSION = n };
#define ENUM_BEGIN(g, d)
#define ENUM_VALUE(g, n, v, d)
#define ENUM_END(g)
#define STRUCT_BEGIN(g, size, d)
#define STRUCT_END(g)
#define CONTEXT_BEGIN(g, d)
#define CONTEXT_END(g)
#define U8(n, d)
#define U16(n, d)
#define U32(n, d)
#define BYTES(n, c, d)
#define RESERVED(c)
#define MEMBER(n, t, c, d)
#define BITS(n, w, d)
#define FLAG(g, n, b, d)
#define REG(n, o, a, d)
#include "contract.def"

// `text` in capitals; good until the fourth next call.
static const char *upper(const char *text)
{
    static char ring[4][64];
    static unsigned turn;
    char *out = ring[turn++ % 4];
    size_t i = 0;
    for (; i < sizeof(ring[0]) - 1 && text[i] != '\0'; i++)
        out[i] = (char)toupper((unsigned char)text[i]);
    out[i] = '\0';
    return out;
}

// The struct or context that `items[at]` begins: its end, exclusive.
static unsigned group_end(unsigned at)
{
    while (items[at].kind != END)
        at++;
    return at;
}

static unsigned struct_size(const char *name)
{
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == STRUCT && strcmp(items[i].name, name) == 0)
            return items[i].number;
    return 0;
}

static unsigned field_bits(const struct item *field)
{
    unsigned one = field->bits != 0 ? field->bits : struct_size(field->type) * 8;
    return one * (field->count != 0 ? field->count : 1);
}

static unsigned context_bits(unsigned at)
{
    unsigned bits = 0;
    for (unsigned i = at + 1, end = group_end(at); i < end; i++)
        bits += items[i].bits;
    return bits;
}

// --- C

static void c_struct(unsigned at)
{
    printf("\n// %s\nstruct zn_acc_%s {\n", items[at].doc, items[at].name);
    for (unsigned i = at + 1, end = group_end(at); i < end; i++) {
        const struct item *f = &items[i];
        printf("    %s%s %s", f->bits != 0 ? "" : "struct zn_acc_", f->type, f->name);
        if (strcmp(f->name, "reserved") == 0)
            printf("_%u", i - at);
        if (f->count != 0)
            printf("[%u]", f->count);
        printf(";%s%s\n", *f->doc != '\0' ? " // " : "", f->doc);
    }
    printf("};\n_Static_assert(sizeof(struct zn_acc_%s) == %u, \"size\");\n", items[at].name,
           items[at].number);
}

static void c_enum(unsigned at)
{
    printf("\n// %s\nenum zn_acc_%s {\n", items[at].doc, items[at].name);
    for (unsigned i = at + 1, end = group_end(at); i < end; i++)
        printf("    ZN_%s_%s = %u,%s%s\n", upper(items[at].name), items[i].name, items[i].number,
               *items[i].doc != '\0' ? " // " : "", items[i].doc);
    printf("};\n");
}

static void c_bits(void)
{
    printf("\nenum {\n");
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == FLAG)
            printf("    ZN_%s_%s = 1 << %u, // %s\n", items[i].group, items[i].name,
                   items[i].number, items[i].doc);
    printf("};\n\n// Registers: byte offsets of 32-bit words.\nenum {\n");
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == REG)
            printf("    ZN_REG_%s = 0x%03x, // %s: %s\n", items[i].name, items[i].number,
                   items[i].type, items[i].doc);
    printf("};\n\n// State kept for a flow, in bits.\nenum {\n");
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == CONTEXT)
            printf("    ZN_%s_BITS = %u,\n", upper(items[i].name), context_bits(i));
    printf("};\n");
}

static void write_c(void)
{
    printf(
        "// SPDX-License-Identifier: Apache-2.0\n"
        "// Made from contract.def by contract_gen; do not edit. CONTRACT.md is its page to read.\n"
        "// clang-format off\n"
        "#ifndef ZN_CONTRACT_H\n#define ZN_CONTRACT_H\n\n#include <stdint.h>\n\n"
        "_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, \"messages are little-endian\");\n"
        "\nenum { ZN_CONTRACT_VERSION = %d, ZN_FILL_PAYLOAD = 15 };\n",
        VERSION);
    for (unsigned i = 0; i < ITEMS; i++) {
        if (items[i].kind == ENUM)
            c_enum(i);
        else if (items[i].kind == STRUCT)
            c_struct(i);
    }
    c_bits();
    printf("\n#endif\n");
}

// --- SystemVerilog: the last field stands in the high bits, so that byte 0 is bits 7:0.

static void sv_struct(unsigned at)
{
    printf("\n  // %s\n  typedef struct packed {\n", items[at].doc);
    for (unsigned i = group_end(at) - 1; i > at; i--) {
        const struct item *f = &items[i];
        if (f->kind == FIELD && f->bits == 0) {
            printf("    %s_t ", f->type);
            if (f->count != 0)
                printf("[%u:0] ", f->count - 1);
        } else {
            printf("    logic [%u:0] ", field_bits(f) - 1);
        }
        printf("%s", f->name);
        if (strcmp(f->name, "reserved") == 0)
            printf("_%u", i - at);
        printf(";\n");
    }
    printf("  } %s_t;\n", items[at].name);
}

static void sv_enum(unsigned at)
{
    unsigned end = group_end(at);
    printf("\n  // %s\n", items[at].doc);
    for (unsigned i = at + 1; i < end; i++)
        printf("  localparam logic [7:0] %s_%s = 8'd%u;\n", upper(items[at].name), items[i].name,
               items[i].number);
}

static void write_sv(void)
{
    printf("// SPDX-License-Identifier: Apache-2.0\n"
           "// Made from driver/contract/contract.def by contract_gen; do not edit.\n"
           "`default_nettype none\n\npackage zn_contract_pkg;\n"
           "  localparam logic [7:0] CONTRACT_VERSION = 8'd%d;\n"
           "  localparam logic [3:0] FILL_PAYLOAD = 4'd15;\n",
           VERSION);
    for (unsigned i = 0; i < ITEMS; i++) {
        if (items[i].kind == ENUM)
            sv_enum(i);
        else if (items[i].kind == STRUCT || items[i].kind == CONTEXT)
            sv_struct(i);
    }
    printf("\n  // Bit numbers of flags.\n");
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == FLAG)
            printf("  localparam int unsigned %s_%s_BIT = %u;\n", items[i].group, items[i].name,
                   items[i].number);
    printf("\n  // Registers: byte offsets.\n");
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == REG)
            printf("  localparam logic [11:0] REG_%s = 12'h%03x;\n", items[i].name,
                   items[i].number);
    printf("endpackage\n\n`default_nettype wire\n");
}

// --- Markdown

static void md_rows(unsigned at)
{
    unsigned byte = 0;
    for (unsigned i = at + 1, end = group_end(at); i < end; i++) {
        const struct item *f = &items[i];
        if (f->kind == VALUE)
            printf("| %u | `%s` | %s |\n", f->number, f->name, f->doc);
        else if (f->kind == BITFIELD)
            printf("| %u | `%s` | %s |\n", f->bits, f->name, f->doc);
        else
            printf("| %u | %u | `%s` | %s |\n", byte, field_bits(f) / 8, f->name, f->doc);
        byte += f->kind == FIELD ? field_bits(f) / 8 : 0;
    }
}

static void md_group(unsigned at)
{
    const struct item *g = &items[at];
    printf("\n## %s\n\n%s\n", g->name, g->doc);
    if (g->kind == ENUM)
        printf("\n| value | name | meaning |\n|---|---|---|\n");
    else if (g->kind == STRUCT)
        printf("%u bytes.\n\n| byte | size | field | meaning |\n|---|---|---|---|\n", g->number);
    else
        printf("%u bits.\n\n| bits | field | meaning |\n|---|---|---|\n", context_bits(at));
    md_rows(at);
}

static void write_md(void)
{
    printf(
        "<!-- Made from contract.def by contract_gen; do not edit. -->\n# Accelerator contract, version %d\n\n"
        "What host and core say to each other. Integers are little-endian. What the words mean together is in\n"
        "[the driver's README](../README.md).\n",
        VERSION);
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == ENUM || items[i].kind == STRUCT || items[i].kind == CONTEXT)
            md_group(i);
    printf("\n## Flags\n\n| bit | name | meaning |\n|---|---|---|\n");
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == FLAG)
            printf("| %u | `%s_%s` | %s |\n", items[i].number, items[i].group, items[i].name,
                   items[i].doc);
    printf(
        "\n## Registers\n\n32-bit words on AXI-Lite.\n\n| offset | name | access | meaning |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < ITEMS; i++)
        if (items[i].kind == REG)
            printf("| 0x%03x | `%s` | %s | %s |\n", items[i].number, items[i].name, items[i].type,
                   items[i].doc);
}

int main(int argc, char **argv)
{
    const char *form = argc == 2 ? argv[1] : "";
    if (strcmp(form, "c") == 0)
        write_c();
    else if (strcmp(form, "sv") == 0)
        write_sv();
    else if (strcmp(form, "md") == 0)
        write_md();
    else {
        fprintf(stderr, "usage: contract_gen c|sv|md\n");
        return 2;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
