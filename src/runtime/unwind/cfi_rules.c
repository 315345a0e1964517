/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/cfi_rules.h"

#include "runtime/unwind/cfi_bytes.h"

/* Pointer encodings: format in the low half, what it is relative to in the high half. */
enum {
    FORMAT_NATIVE = 0x00,
    FORMAT_U16 = 0x02,
    FORMAT_U32 = 0x03,
    FORMAT_U64 = 0x04,
    FORMAT_S16 = 0x0A,
    FORMAT_S32 = 0x0B,
    FORMAT_S64 = 0x0C,
    RELATIVE_TO_PLACE = 0x10,
    INDIRECT = 0x80,
    OMITTED = 0xFF,
    TABLE_ENCODING = 0x3B /* signed 32 bits relative to the header: what every linker writes */
};

#define STATES 4U /* remembered within one another; compilers nest no deeper than 2 */

/* What all entries that share it say. */
struct common {
    uint64_t code_unit;
    int64_t data_unit;
    uint8_t encoding; /* of addresses */
    bool has_augmentation;
    bool is_signal_frame;
    struct tm_cfi_bytes program;
};

struct machine {
    const struct common *common;
    struct tm_cfi_bytes bytes;
    uintptr_t location;
    uintptr_t pc;
    struct tm_cfi_rules *rules;
    const struct tm_cfi_rules *initial; /* NULL while they are made */
    struct tm_cfi_rules states[STATES];
    unsigned depth;
};

static uintptr_t read_pointer(struct tm_cfi_bytes *bytes, uint8_t encoding)
{
    uintptr_t place = (uintptr_t)bytes->at;
    int64_t value = 0;
    if (encoding == OMITTED) {
        return 0;
    }
    switch (encoding & 0x0F) {
    case FORMAT_NATIVE:
    case FORMAT_U64:
    case FORMAT_S64:
        value = (int64_t)tm_cfi_fixed(bytes, 8);
        break;
    case FORMAT_U32:
        value = (int64_t)tm_cfi_fixed(bytes, 4);
        break;
    case FORMAT_S32:
        value = tm_cfi_fixed_signed(bytes, 4);
        break;
    case FORMAT_U16:
        value = (int64_t)tm_cfi_fixed(bytes, 2);
        break;
    case FORMAT_S16:
        value = tm_cfi_fixed_signed(bytes, 2);
        break;
    default:
        bytes->failed = true;
        break;
    }
    switch (encoding & 0x70) {
    case 0:
        return (uintptr_t)value;
    case RELATIVE_TO_PLACE:
        return place + (uintptr_t)value;
    default:
        bytes->failed = true;
        return 0;
    }
}

/* The bytes of the entry at AT: *BYTES begins at its word of identity.  False: it ends the list. */
static bool open_entry(const uint8_t *at, struct tm_cfi_bytes *bytes)
{
    uint32_t length;
    uint64_t long_length;
    memcpy(&length, at, sizeof length);
    if (length == 0) {
        return false;
    }
    if (length == UINT32_MAX) {
        memcpy(&long_length, at + 4, sizeof long_length);
        *bytes = (struct tm_cfi_bytes){at + 12, at + 12 + long_length, false};
    } else {
        *bytes = (struct tm_cfi_bytes){at + 4, at + 4 + length, false};
    }
    return true;
}

static void read_augmentation(struct common *common, struct tm_cfi_bytes *bytes, const char *letters)
{
    uint64_t size = tm_cfi_unsigned(bytes);
    const uint8_t *block = tm_cfi_block(bytes, size);
    struct tm_cfi_bytes data = {block, block + size, bytes->failed};
    common->has_augmentation = true;
    for (letters++; *letters != '\0' && !data.failed; letters++) {
        switch (*letters) {
        case 'R':
            common->encoding = (uint8_t)tm_cfi_fixed(&data, 1);
            break;
        case 'P': {
            uint8_t encoding = (uint8_t)tm_cfi_fixed(&data, 1);
            (void)read_pointer(&data, encoding & (uint8_t)~INDIRECT);
            break;
        }
        case 'L':
            (void)tm_cfi_fixed(&data, 1);
            break;
        case 'S':
            common->is_signal_frame = true;
            break;
        default:
            return; /* what follows cannot be told apart, and is not needed */
        }
    }
}

static bool read_common(const uint8_t *at, struct common *common)
{
    struct tm_cfi_bytes bytes;
    memset(common, 0, sizeof *common);
    if (!open_entry(at, &bytes) || tm_cfi_fixed(&bytes, 4) != 0) {
        return false;
    }
    uint64_t edition = tm_cfi_fixed(&bytes, 1);
    const char *letters = (const char *)bytes.at;
    while (tm_cfi_fixed(&bytes, 1) != 0) {
    }
    if ((edition != 1 && edition != 3) || (letters[0] != '\0' && letters[0] != 'z')) {
        return false;
    }
    common->code_unit = tm_cfi_unsigned(&bytes);
    common->data_unit = tm_cfi_signed(&bytes);
    uint64_t return_register = edition == 1 ? tm_cfi_fixed(&bytes, 1) : tm_cfi_unsigned(&bytes);
    if (letters[0] == 'z') {
        read_augmentation(common, &bytes, letters);
    }
    common->program = bytes;
    return !bytes.failed && return_register == TM_CFI_RETURN;
}

static void set_rule(struct machine *machine, uint64_t number, enum tm_cfi_kind kind, int64_t offset)
{
    if (number < TM_CFI_REGISTERS) {
        machine->rules->registers[number] = (struct tm_cfi_rule){.kind = kind, .offset = offset};
    }
}

static void set_expression(struct machine *machine, uint64_t number, enum tm_cfi_kind kind)
{
    uint64_t size = tm_cfi_unsigned(&machine->bytes);
    const uint8_t *block = tm_cfi_block(&machine->bytes, size);
    if (number < TM_CFI_REGISTERS && block != NULL) {
        machine->rules->registers[number] =
            (struct tm_cfi_rule){.kind = kind, .size = (uint32_t)size, .expression = block};
    }
}

static void restore(struct machine *machine, uint64_t number)
{
    if (machine->initial != NULL && number < TM_CFI_REGISTERS) {
        machine->rules->registers[number] = machine->initial->registers[number];
    }
}

static void set_cfa(struct machine *machine, uint64_t number, int64_t offset)
{
    machine->bytes.failed |= number >= TM_CFI_REGISTERS;
    machine->rules->cfa_register = (uint8_t)number;
    machine->rules->cfa_offset = offset;
    machine->rules->cfa_expression = NULL;
}

static void remember(struct machine *machine)
{
    if (machine->depth == STATES) {
        machine->bytes.failed = true;
        return;
    }
    machine->states[machine->depth++] = *machine->rules;
}

static void recall(struct machine *machine)
{
    if (machine->depth == 0) {
        machine->bytes.failed = true;
        return;
    }
    *machine->rules = machine->states[--machine->depth];
}

/* Instructions that have no operand in their own byte.  False: not known. */
static bool run_extended(struct machine *machine, uint8_t instruction)
{
    struct tm_cfi_bytes *bytes = &machine->bytes;
    const struct common *common = machine->common;
    uint64_t number;
    switch (instruction) {
    case 0x00: /* nop */
        return true;
    case 0x01: /* set_loc */
        machine->location = read_pointer(bytes, common->encoding);
        return true;
    case 0x02: /* advance_loc1, 2, 4 */
    case 0x03:
    case 0x04:
        machine->location += tm_cfi_fixed(bytes, (size_t)1 << (instruction - 2)) * common->code_unit;
        return true;
    case 0x05: /* offset_extended */
        number = tm_cfi_unsigned(bytes);
        set_rule(machine, number, TM_CFI_AT_OFFSET, (int64_t)tm_cfi_unsigned(bytes) * common->data_unit);
        return true;
    case 0x06: /* restore_extended */
        restore(machine, tm_cfi_unsigned(bytes));
        return true;
    case 0x07: /* undefined */
        set_rule(machine, tm_cfi_unsigned(bytes), TM_CFI_UNDEFINED, 0);
        return true;
    case 0x08: /* same_value */
        set_rule(machine, tm_cfi_unsigned(bytes), TM_CFI_SAME, 0);
        return true;
    case 0x09: /* register */
        number = tm_cfi_unsigned(bytes);
        set_rule(machine, number, TM_CFI_IN_REGISTER, (int64_t)tm_cfi_unsigned(bytes));
        return true;
    case 0x0A:
        remember(machine);
        return true;
    case 0x0B:
        recall(machine);
        return true;
    case 0x0C: /* def_cfa */
        number = tm_cfi_unsigned(bytes);
        set_cfa(machine, number, (int64_t)tm_cfi_unsigned(bytes));
        return true;
    case 0x0D: /* def_cfa_register */
        set_cfa(machine, tm_cfi_unsigned(bytes), machine->rules->cfa_offset);
        return true;
    case 0x0E: /* def_cfa_offset */
        machine->rules->cfa_offset = (int64_t)tm_cfi_unsigned(bytes);
        return true;
    case 0x0F: /* def_cfa_expression */
        number = tm_cfi_unsigned(bytes);
        machine->rules->cfa_expression = tm_cfi_block(bytes, number);
        machine->rules->cfa_size = (uint32_t)number;
        return true;
    case 0x10: /* expression */
        set_expression(machine, tm_cfi_unsigned(bytes), TM_CFI_AT_EXPRESSION);
        return true;
    case 0x11: /* offset_extended_sf */
        number = tm_cfi_unsigned(bytes);
        set_rule(machine, number, TM_CFI_AT_OFFSET, tm_cfi_signed(bytes) * common->data_unit);
        return true;
    case 0x12: /* def_cfa_sf */
        number = tm_cfi_unsigned(bytes);
        set_cfa(machine, number, tm_cfi_signed(bytes) * common->data_unit);
        return true;
    case 0x13: /* def_cfa_offset_sf */
        machine->rules->cfa_offset = tm_cfi_signed(bytes) * common->data_unit;
        return true;
    case 0x14: /* val_offset */
        number = tm_cfi_unsigned(bytes);
        set_rule(machine, number, TM_CFI_IS_OFFSET, (int64_t)tm_cfi_unsigned(bytes) * common->data_unit);
        return true;
    case 0x15: /* val_offset_sf */
        number = tm_cfi_unsigned(bytes);
        set_rule(machine, number, TM_CFI_IS_OFFSET, tm_cfi_signed(bytes) * common->data_unit);
        return true;
    case 0x16: /* val_expression */
        set_expression(machine, tm_cfi_unsigned(bytes), TM_CFI_IS_EXPRESSION);
        return true;
    case 0x2E: /* GNU_args_size */
        (void)tm_cfi_unsigned(bytes);
        return true;
    default:
        return false;
    }
}

static bool run_one(struct machine *machine)
{
    uint8_t byte = (uint8_t)tm_cfi_fixed(&machine->bytes, 1);
    uint8_t operand = byte & 0x3F;
    switch (byte & 0xC0) {
    case 0x40: /* advance_loc */
        machine->location += operand * machine->common->code_unit;
        return true;
    case 0x80: /* offset */
        set_rule(machine, operand, TM_CFI_AT_OFFSET,
                 (int64_t)tm_cfi_unsigned(&machine->bytes) * machine->common->data_unit);
        return true;
    case 0xC0: /* restore */
        restore(machine, operand);
        return true;
    default:
        return run_extended(machine, byte);
    }
}

/* Runs PROGRAM up to the pc. */
static bool run(struct machine *machine, struct tm_cfi_bytes program)
{
    machine->bytes = program;
    while (tm_cfi_left(&machine->bytes) > 0 && machine->location <= machine->pc) {
        if (!run_one(machine) || machine->bytes.failed) {
            return false;
        }
    }
    return true;
}

/* The entry that the sorted table names for PC; NULL: none. */
static const uint8_t *search(const uint8_t *header, size_t size, uintptr_t pc)
{
    struct tm_cfi_bytes bytes = {header, header + size, false};
    uint64_t edition = tm_cfi_fixed(&bytes, 1);
    uint8_t start_encoding = (uint8_t)tm_cfi_fixed(&bytes, 1);
    uint8_t count_encoding = (uint8_t)tm_cfi_fixed(&bytes, 1);
    uint8_t table_encoding = (uint8_t)tm_cfi_fixed(&bytes, 1);
    (void)read_pointer(&bytes, start_encoding);
    uint64_t count = read_pointer(&bytes, count_encoding);
    if (bytes.failed || edition != 1 || table_encoding != TABLE_ENCODING || count > tm_cfi_left(&bytes) / 8) {
        return NULL;
    }
    int64_t wanted = (int64_t)(pc - (uintptr_t)header);
    uint64_t low = 0;
    uint64_t high = count;
    int32_t item[2]; /* begin of the function, place of its entry */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        memcpy(item, bytes.at + middle * 8, sizeof item);
        if (item[0] <= wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return NULL;
    }
    memcpy(item, bytes.at + (low - 1) * 8, sizeof item);
    return header + item[1];
}

bool tm_cfi_find(const uint8_t *header, size_t size, uintptr_t pc, struct tm_cfi_rules *rules,
                 struct tm_cfi_range *range)
{
    struct common common;
    struct machine machine;
    struct tm_cfi_rules initial;
    struct tm_cfi_bytes entry;
    const uint8_t *at = search(header, size, pc);
    if (at == NULL || !open_entry(at, &entry)) {
        return false;
    }
    const uint8_t *place = entry.at;
    uint64_t distance = tm_cfi_fixed(&entry, 4);
    if (distance == 0 || !read_common(place - distance, &common)) {
        return false;
    }
    uintptr_t begin = read_pointer(&entry, common.encoding);
    uintptr_t length = read_pointer(&entry, common.encoding & 0x0F);
    if (entry.failed || pc - begin >= length) {
        return false;
    }
    if (common.has_augmentation) {
        (void)tm_cfi_block(&entry, tm_cfi_unsigned(&entry));
    }
    if (range != NULL) {
        *range = (struct tm_cfi_range){begin, begin + length};
    }
    memset(rules, 0, sizeof *rules);
    rules->is_signal_frame = common.is_signal_frame;
    machine = (struct machine){.common = &common, .location = begin, .pc = pc, .rules = rules};
    if (!run(&machine, common.program)) {
        return false;
    }
    initial = *rules;
    machine.initial = &initial;
    machine.location = begin;
    return run(&machine, entry);
}
