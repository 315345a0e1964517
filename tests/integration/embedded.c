/* SPDX-License-Identifier: MIT */
/* A program that embeds Python: starts and ends an interpreter ARGUMENT times, then goes on without one. */
#include <Python.h>

#include <stdio.h>
#include <stdlib.h>

static const char script[] = "kept = []\n"
                             "for index in range(3000):\n"
                             "    kept.append(('%05d' % index) * 200)\n"
                             "print('round', len(kept))\n";

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < rounds; i++) {
        Py_Initialize();
        if (PyRun_SimpleString(script) != 0) {
            return 1;
        }
        Py_Finalize();
    }
    void *block = malloc(100000);
    printf("after %d rounds: %d\n", rounds, block != NULL);
    free(block);
    return 0;
}
