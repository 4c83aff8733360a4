// SPDX-License-Identifier: Apache-2.0
// See letter.h.
#include "letter.h"

#include "broadcast.h"
#include "many.h"
#include "socket.h"

#include <stdlib.h>

// A cursor over the block behind the letter: pointers first, bytes after them.
struct layout {
    char *at;
};

static const char *put(struct layout *layout, const void *p, size_t len)
{
    char *to = layout->at;
    if (len > 0)
        memcpy(to, p, len);
    layout->at += len;
    return to;
}

static const char *put_string(struct layout *layout, const char *text)
{
    return put(layout, text, strlen(text) + 1);
}

static size_t strings_size(const char *const *strings, size_t len)
{
    size_t size = len * sizeof(char *);
    for (size_t i = 0; i < len; i++)
        size += strlen(strings[i]) + 1;
    return size;
}

static size_t outgoing_size(const struct zn_outgoing *out)
{
    size_t size = out->packet.text_len + out->event.len + 1;
    for (unsigned i = 0; i < out->packet.bin_len; i++)
        size += sizeof(struct zn_data) + out->packet.bin[i].len;
    return size;
}

static size_t letter_size(const struct zn_letter_draft *draft, unsigned mails)
{
    const struct zn_target *target = draft->target;
    size_t size = sizeof(struct zn_letter) + mails * sizeof(struct zn_letter_mail) +
                  strings_size(target->rooms, target->rooms_len) +
                  strings_size(target->except, target->except_len) +
                  strings_size(draft->rooms, draft->rooms_len) + draft->text_room;
    if (target->sender != NULL)
        size += sizeof(char *) + ZN_EIO_SID_LEN + 1;
    if (draft->outgoing != NULL)
        size += outgoing_size(draft->outgoing);
    return size;
}

// Copies the strings to bytes and their pointers to `slots`, which it moves on.
static const char *const *put_strings(struct layout *layout, const char ***slots,
                                      const char *const *strings, size_t len)
{
    const char **first = *slots;
    for (size_t i = 0; i < len; i++)
        *(*slots)++ = put_string(layout, strings[i]);
    return first;
}

static void put_outgoing(struct zn_letter *letter, struct layout *layout, struct zn_data *bin,
                         const struct zn_letter_draft *draft)
{
    const struct zn_outgoing *out = draft->outgoing;
    const struct zn_packet *packet = &out->packet;
    letter->id = out->id;
    letter->flags = packet->flags;
    for (unsigned i = 0; i < packet->bin_len; i++) {
        const struct zn_data *from = &packet->bin[i];
        bin[i] = (struct zn_data){ put(layout, from->p, from->len), from->len };
    }
    letter->event = (struct zn_slice){ put_string(layout, out->event.p), out->event.len };
    letter->text = (struct zn_slice){ layout->at, packet->text_len };
    for (unsigned i = 0; i < packet->parts_len; i++)
        put(layout, packet->parts[i].p, packet->parts[i].len);
    letter->args = (struct zn_args){ letter->text.p + packet->parts[0].len, out->args.json_len, bin,
                                     packet->bin_len };
}

struct zn_letter *zn__letter_create(const struct zn_io_shard *shard,
                                    const struct zn_letter_draft *draft)
{
    const struct zn_target *target = draft->target;
    unsigned threads = shard->io->server->threads;
    unsigned mails = threads > 1 ? threads : 0;
    size_t size = letter_size(draft, mails);
    struct zn_letter *letter = calloc(1, size);
    if (letter == NULL)
        return NULL;
    atomic_init(&letter->refs, 1);
    letter->op = draft->op;
    letter->from = shard->reactor->index;
    letter->mails_len = mails;
    letter->size = size;
    letter->target = (struct zn_target){ .ns = target->ns, .flags = target->flags };

    size_t sender = target->sender != NULL ? 1 : 0;
    size_t slots_len = target->rooms_len + target->except_len + sender + draft->rooms_len;
    const char **slots = (const char **)&letter->mails[mails];
    struct zn_data *bin = (struct zn_data *)(slots + slots_len);
    unsigned bin_len = draft->outgoing != NULL ? draft->outgoing->packet.bin_len : 0;
    struct layout layout = { (char *)(bin + bin_len) };
    letter->target.rooms = put_strings(&layout, &slots, target->rooms, target->rooms_len);
    letter->target.rooms_len = target->rooms_len;
    letter->target.except = put_strings(&layout, &slots, target->except, target->except_len);
    letter->target.except_len = target->except_len + sender;
    if (sender > 0)
        *slots++ = put_string(&layout, target->sender->id);
    letter->rooms = put_strings(&layout, &slots, draft->rooms, draft->rooms_len);
    letter->rooms_len = draft->rooms_len;
    if (draft->outgoing != NULL)
        put_outgoing(letter, &layout, bin, draft);
    return letter;
}

void zn__letter_drop(struct zn_letter *letter)
{
    if (atomic_fetch_sub_explicit(&letter->refs, 1, memory_order_acq_rel) == 1)
        free(letter);
}

static void letter_read(struct zn_io_shard *shard, const struct zn_letter *letter)
{
    switch (letter->op) {
    case ZN_LETTER_EVENT:
        zn__broadcast_deliver(shard, letter);
        break;
    case ZN_LETTER_SURVEY:
        zn__broadcast_survey(shard, letter);
        break;
    case ZN_LETTER_JOIN:
    case ZN_LETTER_LEAVE:
    case ZN_LETTER_DISCONNECT:
        zn__many_apply(shard, letter);
        break;
    case ZN_LETTER_SOCKETS:
    case ZN_LETTER_ROOMS:
        zn__many_answer(shard, letter);
        break;
    }
}

static void mail_run(struct zn_reactor *reactor, struct zn_mail *mail)
{
    struct zn_letter *letter = ((struct zn_letter_mail *)mail)->letter;
    zn__io_enter(reactor->io);
    letter_read(reactor->io, letter);
    zn__io_leave(reactor->io);
    zn__letter_drop(letter);
}

static void mail_drop(struct zn_mail *mail)
{
    zn__letter_drop(((struct zn_letter_mail *)mail)->letter);
}

unsigned zn__letter_send(struct zn_io_shard *shard, struct zn_letter *letter, int *err_out)
{
    unsigned sent = 0;
    for (unsigned i = 0; i < letter->mails_len; i++) {
        if (i == shard->reactor->index)
            continue;
        struct zn_letter_mail *mail = &letter->mails[i];
        mail->mail.run = mail_run;
        mail->mail.drop = mail_drop;
        mail->letter = letter;
        zn__letter_ref(letter);
        int err = zn__reactor_mail(shard->reactor, i, &mail->mail);
        if (err == 0)
            sent++;
        else if (err_out != NULL)
            *err_out = err;
    }
    return sent;
}
