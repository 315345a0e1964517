/* SPDX-License-Identifier: MIT */
#include "report/snapshot/demangle_rust.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/text.h"
#include "report/snapshot/punycode.h"

#define LENGTH_MAX ((size_t)64 * 1024)
#define DEPTH_MAX  200U     /* names within one another */
#define WORK_MAX   1000000U /* letters and items: back references can make a short name an endless one */

struct demangling {
    const char *text; /* behind the _R */
    size_t length, at;
    struct tm_text *to;
    unsigned depth, work;
    uint64_t lifetimes; /* that the binders round here name */
    bool is_silent;     /* what is read is not wanted */
    bool failed;
};

struct identifier {
    const char *bytes;
    size_t length;
    bool is_punycode;
    uint64_t disambiguator;
};

static void read_path(struct demangling *d, bool in_value);
static void read_type(struct demangling *d);
static void read_constant(struct demangling *d);

static void add(struct demangling *d, const char *text)
{
    if (!d->is_silent) {
        tm_text_add(d->to, text);
    }
}

static void add_number(struct demangling *d, uint64_t number)
{
    if (!d->is_silent) {
        tm_text_add_unsigned(d->to, number);
    }
}

static char peek(const struct demangling *d)
{
    return (char)(!d->failed && d->at < d->length ? d->text[d->at] : '\0');
}

static char next(struct demangling *d)
{
    char c = peek(d);
    d->failed |= c == '\0' || ++d->work > WORK_MAX;
    d->at += c != '\0';
    return c;
}

static bool eat(struct demangling *d, char wanted)
{
    bool is_there = peek(d) == wanted;
    d->at += is_there;
    return is_there;
}

/* False: too deep, too much, or something went wrong before. */
static bool enter(struct demangling *d)
{
    d->failed |= ++d->depth > DEPTH_MAX || ++d->work > WORK_MAX || d->to->truncated;
    return !d->failed;
}

static void leave(struct demangling *d)
{
    d->depth--;
}

static uint64_t read_decimal(struct demangling *d)
{
    uint64_t number = 0;
    char first = peek(d);
    d->failed |= first < '0' || first > '9';
    if (eat(d, '0')) {
        return 0;
    }
    while (peek(d) >= '0' && peek(d) <= '9') {
        number = number * 10 + (uint64_t)(next(d) - '0');
        d->failed |= number > d->length;
    }
    return number;
}

/* "_" is 0, "0_" is 1, ... */
static uint64_t read_base_62(struct demangling *d)
{
    uint64_t number = 0;
    if (eat(d, '_')) {
        return 0;
    }
    while (!d->failed && !eat(d, '_')) {
        char c = next(d);
        uint64_t digit = c >= '0' && c <= '9'   ? (uint64_t)(c - '0')
                         : c >= 'a' && c <= 'z' ? 10 + (uint64_t)(c - 'a')
                         : c >= 'A' && c <= 'Z' ? 36 + (uint64_t)(c - 'A')
                                                : 62;
        d->failed |= digit == 62 || number >= (UINT64_MAX - digit) / 62;
        number = number * 62 + digit;
    }
    return number + 1;
}

/* A number behind the letter TAG; 0 without the letter. */
static uint64_t read_tagged(struct demangling *d, char tag)
{
    return eat(d, tag) ? read_base_62(d) + 1 : 0;
}

static struct identifier read_plain_identifier(struct demangling *d)
{
    struct identifier found = {.is_punycode = eat(d, 'u')};
    found.length = (size_t)read_decimal(d);
    (void)eat(d, '_');
    d->failed |= found.length > d->length - d->at;
    if (d->failed) {
        found.length = 0;
    }
    found.bytes = d->text + d->at;
    d->at += found.length;
    return found;
}

static struct identifier read_identifier(struct demangling *d)
{
    uint64_t disambiguator = read_tagged(d, 's');
    struct identifier found = read_plain_identifier(d);
    found.disambiguator = disambiguator;
    return found;
}

static void add_identifier(struct demangling *d, const struct identifier *name)
{
    if (d->is_silent) {
        return;
    }
    if (!name->is_punycode) {
        tm_text_add_bytes(d->to, name->bytes, name->length);
    } else if (!tm_punycode_add(d->to, name->bytes, name->length)) {
        d->failed = true;
    }
}

/* READ at the place that is named here, which lies before. */
static void read_back(struct demangling *d, size_t own, void (*read)(struct demangling *d, bool in_value),
                      bool in_value)
{
    uint64_t place = read_base_62(d);
    size_t behind = d->at;
    d->failed |= place >= own;
    if (!d->failed && !d->is_silent) {
        d->at = (size_t)place;
        read(d, in_value);
        d->at = behind;
    }
}

static void add_lifetime(struct demangling *d, uint64_t number)
{
    if (number == 0) {
        add(d, "'_");
        return;
    }
    d->failed |= number > d->lifetimes;
    uint64_t place = d->lifetimes - number;
    add(d, "'");
    if (place < 26) {
        add(d, (const char[]){(char)('a' + (char)place), '\0'});
    } else {
        add(d, "_");
        add_number(d, place);
    }
}

/* "for<'a, 'b> "; how many they are, to be taken back. */
static uint64_t read_binder(struct demangling *d)
{
    uint64_t count = read_tagged(d, 'G');
    d->failed |= count > d->length;
    for (uint64_t i = 0; i < count && !d->failed; i++) {
        d->failed |= ++d->work > WORK_MAX;
        add(d, i == 0 ? "for<" : ", ");
        d->lifetimes++;
        add_lifetime(d, 1);
    }
    add(d, count > 0 ? "> " : "");
    return d->failed ? 0 : count;
}

static void read_argument(struct demangling *d)
{
    if (eat(d, 'L')) {
        add_lifetime(d, read_base_62(d));
    } else if (eat(d, 'K')) {
        read_constant(d);
    } else {
        read_type(d);
    }
}

static void read_arguments(struct demangling *d)
{
    for (unsigned i = 0; !d->failed && !eat(d, 'E'); i++) {
        add(d, i > 0 ? ", " : "");
        read_argument(d);
    }
}

/* Where an implementation stands is not said. */
static void skip_implementation_path(struct demangling *d)
{
    bool was_silent = d->is_silent;
    (void)read_tagged(d, 's');
    d->is_silent = true;
    read_path(d, false);
    d->is_silent = was_silent;
}

/* <type> or <type as trait> */
static void read_qualified(struct demangling *d, bool has_trait)
{
    add(d, "<");
    read_type(d);
    if (has_trait) {
        add(d, " as ");
        read_path(d, false);
    }
    add(d, ">");
}

/* Closures and the like: their names are the compiler's. */
static void add_special(struct demangling *d, char space, const struct identifier *name)
{
    add(d, "::{");
    add(d, space == 'C' ? "closure" : space == 'S' ? "shim" : (const char[]){space, '\0'});
    if (name->length > 0) {
        add(d, ":");
        add_identifier(d, name);
    }
    add(d, "#");
    add_number(d, name->disambiguator);
    add(d, "}");
}

static void read_nested(struct demangling *d, bool in_value)
{
    char space = next(d);
    read_path(d, in_value);
    struct identifier name = read_identifier(d);
    if (space >= 'A' && space <= 'Z') {
        add_special(d, space, &name);
    } else if (space >= 'a' && space <= 'z') {
        add(d, name.length > 0 ? "::" : "");
        add_identifier(d, &name);
    } else {
        d->failed = true;
    }
}

static void read_path(struct demangling *d, bool in_value)
{
    size_t own = d->at;
    struct identifier crate;
    if (!enter(d)) {
        return;
    }
    char tag = next(d);
    switch (tag) {
    case 'C':
        crate = read_identifier(d);
        add_identifier(d, &crate);
        break;
    case 'M':
    case 'X':
        skip_implementation_path(d);
        read_qualified(d, tag == 'X');
        break;
    case 'Y':
        read_qualified(d, true);
        break;
    case 'N':
        read_nested(d, in_value);
        break;
    case 'I':
        read_path(d, in_value);
        add(d, in_value ? "::<" : "<");
        read_arguments(d);
        add(d, ">");
        break;
    case 'B':
        read_back(d, own, read_path, in_value);
        break;
    default:
        d->failed = true;
    }
    leave(d);
}

static const char *basic_type(char tag)
{
    static const struct {
        char tag;
        const char *name;
    } types[] = {{'a', "i8"},   {'b', "bool"},  {'c', "char"},  {'d', "f64"}, {'e', "str"}, {'f', "f32"},
                 {'h', "u8"},   {'i', "isize"}, {'j', "usize"}, {'l', "i32"}, {'m', "u32"}, {'n', "i128"},
                 {'o', "u128"}, {'s', "i16"},   {'t', "u16"},   {'u', "()"},  {'v', "..."}, {'x', "i64"},
                 {'y', "u64"},  {'z', "!"},     {'p', "_"}};
    for (size_t i = 0; i < TM_COUNT_OF(types); i++) {
        if (types[i].tag == tag) {
            return types[i].name;
        }
    }
    return NULL;
}

static void read_reference(struct demangling *d, bool is_mutable)
{
    add(d, "&");
    if (eat(d, 'L')) {
        uint64_t lifetime = read_base_62(d);
        if (lifetime != 0) {
            add_lifetime(d, lifetime);
            add(d, " ");
        }
    }
    add(d, is_mutable ? "mut " : "");
    read_type(d);
}

static void read_tuple(struct demangling *d)
{
    unsigned count = 0;
    add(d, "(");
    for (; !d->failed && !eat(d, 'E'); count++) {
        add(d, count > 0 ? ", " : "");
        read_type(d);
    }
    add(d, count == 1 ? ",)" : ")");
}

/* extern "C", or another one, whose '-' are mangled as '_'. */
static void read_convention(struct demangling *d)
{
    add(d, "extern \"");
    if (eat(d, 'C')) {
        add(d, "C");
    } else {
        struct identifier name = read_plain_identifier(d);
        d->failed |= name.is_punycode;
        for (size_t i = 0; i < name.length; i++) {
            add(d, (const char[]){(char)(name.bytes[i] == '_' ? '-' : name.bytes[i]), '\0'});
        }
    }
    add(d, "\" ");
}

static void read_function_type(struct demangling *d)
{
    uint64_t bound = read_binder(d);
    add(d, eat(d, 'U') ? "unsafe " : "");
    if (eat(d, 'K')) {
        read_convention(d);
    }
    add(d, "fn(");
    read_arguments(d);
    add(d, ")");
    if (!eat(d, 'u')) { /* () is not said */
        add(d, " -> ");
        read_type(d);
    }
    d->lifetimes -= bound;
}

/* A path whose list of arguments stays open, for names of associated types; true: it is. */
static bool read_open_path(struct demangling *d)
{
    size_t own = d->at;
    bool is_open = false;
    if (!enter(d)) {
        return false;
    }
    if (eat(d, 'B')) {
        uint64_t place = read_base_62(d);
        size_t behind = d->at;
        d->failed |= place >= own;
        if (!d->failed && !d->is_silent) {
            d->at = (size_t)place;
            is_open = read_open_path(d);
            d->at = behind;
        }
    } else if (eat(d, 'I')) {
        read_path(d, false);
        add(d, "<");
        read_arguments(d);
        is_open = true;
    } else {
        read_path(d, false);
    }
    leave(d);
    return is_open;
}

static void read_bound(struct demangling *d)
{
    bool is_open = read_open_path(d);
    while (eat(d, 'p')) {
        struct identifier name = read_plain_identifier(d);
        add(d, is_open ? ", " : "<");
        is_open = true;
        add_identifier(d, &name);
        add(d, " = ");
        read_type(d);
    }
    add(d, is_open ? ">" : "");
}

static void read_trait_object(struct demangling *d)
{
    add(d, "dyn ");
    uint64_t bound = read_binder(d);
    for (unsigned i = 0; !d->failed && !eat(d, 'E'); i++) {
        add(d, i > 0 ? " + " : "");
        read_bound(d);
    }
    d->lifetimes -= bound;
    d->failed |= !eat(d, 'L');
    uint64_t lifetime = d->failed ? 0 : read_base_62(d);
    if (lifetime != 0) {
        add(d, " + ");
        add_lifetime(d, lifetime);
    }
}

static void read_type_again(struct demangling *d, bool in_value)
{
    (void)in_value;
    read_type(d);
}

static void read_compound_type(struct demangling *d, char tag, size_t own)
{
    switch (tag) {
    case 'R':
    case 'Q':
        read_reference(d, tag == 'Q');
        break;
    case 'P':
    case 'O':
        add(d, tag == 'P' ? "*const " : "*mut ");
        read_type(d);
        break;
    case 'A':
    case 'S':
        add(d, "[");
        read_type(d);
        if (tag == 'A') {
            add(d, "; ");
            read_constant(d);
        }
        add(d, "]");
        break;
    case 'T':
        read_tuple(d);
        break;
    case 'F':
        read_function_type(d);
        break;
    case 'D':
        read_trait_object(d);
        break;
    case 'B':
        read_back(d, own, read_type_again, false);
        break;
    default: /* a type with a name */
        d->at = own;
        read_path(d, false);
    }
}

static void read_type(struct demangling *d)
{
    size_t own = d->at;
    if (!enter(d)) {
        return;
    }
    char tag = next(d);
    const char *basic = basic_type(tag);
    if (basic != NULL) {
        add(d, basic);
    } else {
        read_compound_type(d, tag, own);
    }
    leave(d);
}

/* Digits of a number up to a '_'; of more than 16 only the last count. */
static uint64_t read_hexadecimal(struct demangling *d, const char **digits, size_t *length)
{
    uint64_t number = 0;
    *digits = d->text + d->at;
    *length = 0;
    while (!d->failed && !eat(d, '_')) {
        char c = next(d);
        bool is_letter = c >= 'a' && c <= 'f';
        d->failed |= !is_letter && (c < '0' || c > '9');
        number = number << 4 | (uint64_t)(is_letter ? c - 'a' + 10 : c - '0');
        ++*length;
    }
    return number;
}

static void read_integer(struct demangling *d)
{
    const char *digits;
    size_t length;
    uint64_t number = read_hexadecimal(d, &digits, &length);
    if (length <= 16) {
        add_number(d, number);
    } else if (!d->is_silent) {
        tm_text_add(d->to, "0x");
        tm_text_add_bytes(d->to, digits, length);
    }
}

static void read_character(struct demangling *d, bool is_truth)
{
    const char *digits;
    size_t length;
    uint64_t number = read_hexadecimal(d, &digits, &length);
    if (is_truth) {
        d->failed |= number > 1;
        add(d, number == 1 ? "true" : "false");
    } else if (number >= ' ' && number < 0x7F) {
        add(d, (const char[]){'\'', (char)number, '\'', '\0'});
    } else if (!d->is_silent) {
        tm_text_add(d->to, "'\\u{");
        tm_text_add_bytes(d->to, digits, length);
        tm_text_add(d->to, "}'");
    }
}

static void read_constant_again(struct demangling *d, bool in_value)
{
    (void)in_value;
    read_constant(d);
}

static void read_constant(struct demangling *d)
{
    size_t own = d->at;
    if (!enter(d)) {
        return;
    }
    char tag = next(d);
    if (tag == 'B') {
        read_back(d, own, read_constant_again, false);
    } else if (tag == 'p') {
        add(d, "_");
    } else if (tag == 'b' || tag == 'c') {
        read_character(d, tag == 'b');
    } else if (tag != '\0' && strchr("hjmotyailnsx", tag) != NULL) {
        add(d, strchr("ailnsx", tag) != NULL && eat(d, 'n') ? "-" : "");
        read_integer(d);
    } else {
        d->failed = true; /* structures and texts: not stable yet */
    }
    leave(d);
}

/* The whole symbol; what LLVM added to it is left out, other additions stay. */
static void read_symbol(struct demangling *d)
{
    read_path(d, true);
    if (peek(d) >= 'A' && peek(d) <= 'Z') { /* which crate's copy this is */
        d->is_silent = true;
        read_path(d, false);
        d->is_silent = false;
    }
    const char *rest = d->text + d->at;
    if (!d->failed && *rest != '\0') {
        d->failed = *rest != '.' && *rest != '$';
        add(d, strncmp(rest, ".llvm.", 6) == 0 ? "" : rest);
    }
}

char *tm_demangle_rust_v0(const char *name)
{
    struct tm_text to;
    if (name[0] != '_' || name[1] != 'R' || name[2] < 'A' || name[2] > 'Z') {
        return NULL;
    }
    char *plain = malloc(LENGTH_MAX);
    if (plain == NULL) {
        return NULL;
    }
    tm_text_init(&to, plain, LENGTH_MAX);
    struct demangling demangling = {.text = name + 2, .length = strlen(name + 2), .to = &to};
    read_symbol(&demangling);
    char *kept = demangling.failed || to.truncated || to.length == 0 ? NULL : strdup(plain);
    free(plain);
    return kept;
}
