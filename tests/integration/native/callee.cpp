/* SPDX-License-Identifier: MIT */
/* The part of the extension module that is C++. */
#include <cstddef>

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
