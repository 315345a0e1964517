/* SPDX-License-Identifier: MIT */
/* Prints where the headers of one CPython release keep what a frame is made of, one "field value" a line, in the
 * order and with the names of struct tm_cpython_layout.  Compiled by abi_probe.py against each release's headers. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#if PY_VERSION_HEX < 0x030B0000
#include <code.h>
#endif
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_gc.h>
#endif
#if PY_VERSION_HEX >= 0x030E0000
#include <internal/pycore_interpframe_structs.h>
#endif
#if PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_frame.h>
#endif

#define SAY(name, value)          printf("%s %lu\n", name, (unsigned long)(value))
#define FIELD(name, type, member) SAY(name, offsetof(type, member))

#if PY_VERSION_HEX >= 0x030B0000
typedef struct _PyInterpreterFrame frame_type;
#else
typedef PyFrameObject frame_type;
#endif

static void say_tstate(void)
{
    FIELD("tstate_interp", PyThreadState, interp);
    FIELD("tstate_thread_id", PyThreadState, thread_id);
#if PY_VERSION_HEX >= 0x030D0000
    FIELD("tstate_frame", PyThreadState, current_frame);
#elif PY_VERSION_HEX >= 0x030B0000
    FIELD("tstate_cframe", PyThreadState, cframe);
    FIELD("cframe_current", _PyCFrame, current_frame);
    FIELD("cframe_previous", _PyCFrame, previous);
#else
    FIELD("tstate_frame", PyThreadState, frame);
#if PY_VERSION_HEX >= 0x030A0000
    FIELD("tstate_cframe", PyThreadState, cframe);
    FIELD("cframe_previous", CFrame, previous);
#endif
#endif
}

static void say_frame(void)
{
#if PY_VERSION_HEX >= 0x030B0000
    FIELD("frame_previous", frame_type, previous);
    FIELD("frame_owner", frame_type, owner);
#if PY_VERSION_HEX >= 0x030D0000
    FIELD("frame_code", frame_type, f_executable);
    FIELD("frame_instruction", frame_type, instr_ptr);
#else
    FIELD("frame_code", frame_type, f_code);
    FIELD("frame_instruction", frame_type, prev_instr);
#endif
#if PY_VERSION_HEX < 0x030C0000
    FIELD("frame_is_entry", frame_type, is_entry);
#endif
#if PY_VERSION_HEX >= 0x030E0000 && defined(Py_GIL_DISABLED)
    FIELD("frame_tlbc_index", frame_type, tlbc_index);
#endif
    SAY("owner_generator", FRAME_OWNED_BY_GENERATOR);
#if PY_VERSION_HEX >= 0x030E0000
    SAY("owner_shim", FRAME_OWNED_BY_INTERPRETER);
#elif PY_VERSION_HEX >= 0x030C0000
    SAY("owner_shim", FRAME_OWNED_BY_CSTACK);
#endif
#else
    FIELD("frame_previous", frame_type, f_back);
    FIELD("frame_code", frame_type, f_code);
    FIELD("frame_instruction", frame_type, f_lasti);
    FIELD("frame_lineno", frame_type, f_lineno);
    FIELD("frame_trace", frame_type, f_trace);
#endif
}

static void say_code(void)
{
#if PY_VERSION_HEX >= 0x030B0000
    SAY("code_size", offsetof(PyCodeObject, co_code_adaptive));
    FIELD("code_filename", PyCodeObject, co_filename);
    FIELD("code_name", PyCodeObject, co_name);
    FIELD("code_qualname", PyCodeObject, co_qualname);
    FIELD("code_firstlineno", PyCodeObject, co_firstlineno);
    FIELD("code_lines", PyCodeObject, co_linetable);
    FIELD("code_firsttraceable", PyCodeObject, _co_firsttraceable);
    FIELD("code_bytes", PyCodeObject, co_code_adaptive);
#if PY_VERSION_HEX >= 0x030E0000 && defined(Py_GIL_DISABLED)
    FIELD("code_tlbc", PyCodeObject, co_tlbc);
    FIELD("tlbc_entries", _PyCodeArray, entries);
#endif
#else
    SAY("code_size", sizeof(PyCodeObject));
    FIELD("code_filename", PyCodeObject, co_filename);
    FIELD("code_name", PyCodeObject, co_name);
    FIELD("code_firstlineno", PyCodeObject, co_firstlineno);
#if PY_VERSION_HEX >= 0x030A0000
    FIELD("code_lines", PyCodeObject, co_linetable);
#else
    FIELD("code_lines", PyCodeObject, co_lnotab);
#endif
#endif
}

static void say_objects(void)
{
    FIELD("object_type", PyObject, ob_type);
    FIELD("type_flags", PyTypeObject, tp_flags);
    FIELD("bytes_size", PyVarObject, ob_size);
#if PY_MAJOR_VERSION == 2
    FIELD("bytes_data", PyStringObject, ob_sval);
#else
    FIELD("bytes_data", PyBytesObject, ob_sval);
    FIELD("str_length", PyASCIIObject, length);
    FIELD("str_state", PyASCIIObject, state);
    SAY("str_ascii_data", sizeof(PyASCIIObject));
    SAY("str_compact_data", sizeof(PyCompactUnicodeObject));
#endif
}

#if PY_MAJOR_VERSION > 2
/* Where a bit field begins is not for offsetof: set it and look. */
static void say_state(void)
{
    union {
        PyASCIIObject text;
        unsigned char bytes[sizeof(PyASCIIObject)];
    } at;
    unsigned int word;
#define SHIFT(name, member)                                                                                            \
    memset(&at, 0, sizeof at);                                                                                         \
    at.text.state.member = 1;                                                                                          \
    memcpy(&word, at.bytes + offsetof(PyASCIIObject, state), sizeof word);                                             \
    SAY(name, __builtin_ctz(word))
    SHIFT("str_kind_shift", kind);
    SHIFT("str_compact_shift", compact);
    SHIFT("str_ascii_shift", ascii);
}
#endif

/* What _PyType_PreHeaderSize of the release adds up; the head of garbage collected objects is gone without the GIL. */
static void say_presize(void)
{
#ifdef Py_GIL_DISABLED
    SAY("gc_head", 0);
#else
    SAY("gc_head", sizeof(PyGC_Head));
#endif
#if PY_VERSION_HEX >= 0x030C0000
    SAY("preheader", 2 * sizeof(PyObject *));
    SAY("preheader_flags", Py_TPFLAGS_PREHEADER);
#elif PY_VERSION_HEX >= 0x030B0000
    SAY("preheader", 2 * sizeof(PyObject *));
    SAY("preheader_flags", Py_TPFLAGS_MANAGED_DICT);
#endif
}

/* What the watermark writes to and asks; not without the GIL. */
static void say_watermark(void)
{
#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)
    FIELD("frame_stacktop", frame_type, stacktop);
#if PY_VERSION_HEX >= 0x030C0000
    FIELD("tstate_event", PyThreadState, what_event);
#else
    FIELD("tstate_event", PyThreadState, tracing_what);
#endif
#endif
}

int main(void)
{
    SAY("release", PY_MAJOR_VERSION << 8 | PY_MINOR_VERSION);
    say_tstate();
    say_frame();
    say_code();
    say_objects();
#if PY_MAJOR_VERSION > 2
    say_state();
#endif
    say_presize();
    say_watermark();
    return 0;
}
