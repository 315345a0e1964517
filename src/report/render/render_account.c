/* SPDX-License-Identifier: MIT */
#include "report/render/render_account.h"

#include "report/render/size_text.h"
#include "report/stat/memory_account.h"

static void print_part(struct tm_out *out, const char *title, int64_t bytes, uint64_t rss)
{
    tm_out_format(out, "%-52s  %10s  %6.1f %%\n", title, tm_size_for_people((double)bytes, false).text,
                  100.0 * (double)bytes / (double)rss);
}

void tm_render_account_text(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_memory_account account;
    if (!tm_memory_account_make(snapshot, &account)) {
        return;
    }
    tm_out_format(out, "\n%-52s  %10s\n", "RESIDENT MEMORY (RSS)", "BYTES");
    for (unsigned part = 0; part < TM_MEMORY_PARTS; part++) {
        int64_t bytes = account.parts[part];
        bool is_untouched = part == TM_MEMORY_UNEXPLAINED && bytes < 0;
        if (bytes != 0 || part == TM_MEMORY_UNEXPLAINED) {
            print_part(out,
                       is_untouched ? "less: not resident (untouched, given back, swapped)"
                                    : tm_memory_part_title((enum tm_memory_part)part),
                       bytes, account.rss);
        }
    }
    print_part(out, "total", (int64_t)account.rss, account.rss);
    if (account.pss != 0) {
        tm_out_format(out, "%s of it is this process's share (PSS)",
                      tm_size_for_people((double)account.pss, false).text);
        tm_out_format(out, ", %s is in swap\n", tm_size_for_people((double)account.swap, false).text);
    }
}

void tm_render_account_json(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_memory_account account;
    if (!tm_memory_account_make(snapshot, &account)) {
        return;
    }
    tm_out_format(out, ",\n \"rss\": {\"total\": %llu, \"pss\": %llu, \"swap\": %llu", (unsigned long long)account.rss,
                  (unsigned long long)account.pss, (unsigned long long)account.swap);
    for (unsigned part = 0; part < TM_MEMORY_PARTS; part++) {
        tm_out_format(out, ", \"%s\": %lld", tm_memory_part_name((enum tm_memory_part)part),
                      (long long)account.parts[part]);
    }
    tm_out_text(out, "}");
}
