/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "report/render/page_data.h"
#include "report/web/page_bytes.h"

static const char mark[] = "@TM_DATA@";

bool tm_page_is_built(void)
{
    return tm_page_size > 0;
}

bool tm_render_page(struct tm_out *out, const struct tm_page *page)
{
    const uint8_t *at = memmem(tm_page_bytes, tm_page_size, mark, strlen(mark));
    if (at == NULL) {
        return false;
    }
    size_t before = (size_t)(at - tm_page_bytes), behind = before + strlen(mark);
    tm_out_bytes(out, tm_page_bytes, before);
    bool memory = tm_page_data(out, page);
    tm_out_bytes(out, tm_page_bytes + behind, tm_page_size - behind);
    return memory;
}
