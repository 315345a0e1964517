/* SPDX-License-Identifier: MIT */
/* The part of the extension module that is C++. */
#include <cstddef>

/* Not among the exported symbols, which a stripped library keeps. */
#pragma GCC visibility push(hidden)

extern "C" void *make_new(std::size_t size);

namespace callee {
struct Maker {
    static __attribute__((noinline)) void *make(std::size_t size)
    {
        void *block = ::operator new(size);
        __asm__ volatile("" ::: "memory");
        return block;
    }
};
} // namespace callee

void *make_new(std::size_t size)
{
    void *block = callee::Maker::make(size);
    __asm__ volatile("" ::: "memory");
    return block;
}
