// SPDX-License-Identifier: Apache-2.0
// The demo's page, see demo_page.h.
#include "demo_page.h"

#include "core/asset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char default_path[] = "/socket.io/";

struct zn_demo_page {
    char *index;
    size_t index_len;
};

// A copy of the page with Socket.IO's path as it is here. A path has no characters that mean
// something in HTML; the settings see to that.
static int make_index(struct zn_demo_page *page, const struct zn_asset *asset, const char *path)
{
    const char *p = (const char *)asset->data, *end = p + asset->len, *next;
    FILE *out = open_memstream(&page->index, &page->index_len);
    size_t len = strlen(default_path);
    bool slash = path[strlen(path) - 1] == '/';

    if (out == NULL)
        return -ENOMEM;
    while ((next = memmem(p, (size_t)(end - p), default_path, len)) != NULL) {
        fwrite(p, 1, (size_t)(next - p), out);
        fprintf(out, "%s%s", path, slash ? "" : "/");
        p = next + len;
    }
    fwrite(p, 1, (size_t)(end - p), out);
    return fclose(out) == 0 ? 0 : -ENOMEM;
}

static int serve(struct zn_server *server, struct zn_demo_page *page, const struct zn_asset *asset,
                 const char *socket_path)
{
    char path[100];
    int err;

    if (strcmp(asset->name, "index.html") == 0) {
        err = make_index(page, asset, socket_path);
        if (err < 0)
            return err;
        return zn_serve_static(server, "/", asset->content_type, page->index, page->index_len);
    }
    snprintf(path, sizeof path, "/%s", asset->name);
    return zn_serve_static(server, path, asset->content_type, asset->data, asset->len);
}

int zn__demo_page_create(struct zn_server *server, const char *path, struct zn_demo_page **page_out)
{
    struct zn_demo_page *page = calloc(1, sizeof *page);
    int err = page != NULL ? 0 : -ENOMEM;

    *page_out = page;
    for (size_t i = 0; err == 0 && i < zn_demo_assets_len; i++)
        err = serve(server, page, &zn_demo_assets[i], path);
    return err;
}

void zn__demo_page_destroy(struct zn_demo_page *page)
{
    if (page == NULL)
        return;
    free(page->index);
    free(page);
}
