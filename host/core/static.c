// SPDX-License-Identifier: Apache-2.0
// See static.h.
#include "static.h"

#include "asset.h"
#include "http.h"
#include "server.h"
#include "siphash.h"

#include <stdio.h>
#include <stdlib.h>

// RFC 9110 section 13.1.2; weak comparison.
static bool none_match_has(const struct zn_conn *conn, const char *etag)
{
    uint32_t cursor = 0;
    struct zn_slice tag;
    while (zn__http_list_next(&conn->http->req, zn__http_head(conn), ZN_SLICE("if-none-match"),
                              &cursor, &tag)) {
        if (tag.len > 2 && memcmp(tag.p, "W/", 2) == 0)
            tag = (struct zn_slice){ tag.p + 2, tag.len - 2 };
        if (zn__slice_eq(tag, (struct zn_slice){ etag, strlen(etag) }))
            return true;
    }
    return false;
}

static void file_reply(struct zn_conn *conn, const struct zn_static *file, const char *cache)
{
    const struct zn_http_req *req = &conn->http->req;
    bool body_sent = req->chunked || req->content_length > 0;
    if (req->method != ZN_HTTP_GET && req->method != ZN_HTTP_HEAD) {
        zn__http_reply(conn, &(struct zn_reply){ .status = 405,
                                                 .headers = ZN_SLICE("Allow: GET, HEAD\r\n"),
                                                 .close = body_sent });
        return;
    }
    bool gzip = file->gzip != NULL && zn__http_accepts_gzip(conn);
    char headers[256];
    int n = snprintf(headers, sizeof(headers),
                     "Cache-Control: %s\r\nETag: %s\r\nX-Content-Type-Options: nosniff\r\n"
                     "Vary: Accept-Encoding\r\n%s",
                     cache, file->etag, gzip ? "Content-Encoding: gzip\r\n" : "");
    struct zn_reply reply = {
        .status = none_match_has(conn, file->etag) ? 304 : 200,
        .content_type = file->content_type,
        .headers = { headers, (size_t)n },
        .body = { gzip ? file->gzip : file->data, gzip ? file->gzip_len : file->len },
        .close = body_sent,
    };
    zn__http_reply(conn, &reply);
}

void zn__static_request(struct zn_conn *conn, const struct zn_static *file)
{
    file_reply(conn, file, "no-cache");
}

bool zn__static_client(struct zn_conn *conn, struct zn_slice name)
{
    for (size_t i = 0; i < zn__client_assets_len; i++) {
        const struct zn_asset *asset = &zn__client_assets[i];
        if (!zn__slice_eq(name, (struct zn_slice){ asset->name, strlen(asset->name) }))
            continue;
        struct zn_static file = { .content_type = (char *)asset->content_type,
                                  .data = asset->data,
                                  .len = asset->len,
                                  .gzip = asset->gzip,
                                  .gzip_len = asset->gzip_len };
        snprintf(file.etag, sizeof(file.etag), "%s", asset->etag);
        file_reply(conn, &file, "public, max-age=0");
        return true;
    }
    return false;
}

void zn__static_destroy(struct zn_static *file)
{
    if (file == NULL)
        return;
    free(file->path);
    free(file->content_type);
    free(file);
}

int zn_serve_static(struct zn_server *server, const char *path, const char *content_type,
                    const void *data, size_t len)
{
    if (server->routes_len == ZN_ROUTES_MAX)
        return -ENOSPC;
    struct zn_static *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return -ENOMEM;
    file->path = strdup(path);
    file->content_type = strdup(content_type);
    if (file->path == NULL || file->content_type == NULL) {
        zn__static_destroy(file);
        return -ENOMEM;
    }
    file->data = data;
    file->len = len;
    static const uint64_t tag_key[2] = { 0x7a61706e69630001, 0x7a61706e69630002 };
    snprintf(file->etag, sizeof(file->etag), "\"%zx-%016llx\"", len,
             (unsigned long long)zn__siphash(tag_key, data, len));
    server->routes[server->routes_len++] = (struct zn_route){
        .kind = ZN_ROUTE_STATIC, .path = file->path, .path_len = strlen(path), .file = file
    };
    return 0;
}
