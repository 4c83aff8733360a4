// SPDX-License-Identifier: Apache-2.0
// One reactor's share of a broadcast with acknowledgements: who of its sockets still owes
// the answer. Counts and answers go to the asking reactor, see gather.h.
//
// Thread: the reactor whose sockets are asked.
#ifndef ZN_CORE_SURVEY_H
#define ZN_CORE_SURVEY_H

#include "ack.h"

struct zn_survey {
    struct zn_io_shard *shard;
    struct zn_wait *waits;
    struct zn_timer timer;
    unsigned from; // the reactor that asks
    uint64_t ask;  // its number there
    bool open;     // receivers are still being added
};

// timeout_ms 0: none. NULL: no memory.
struct zn_survey *zn__survey_create(struct zn_io_shard *shard, unsigned from, uint64_t ask,
                                    uint32_t timeout_ms);
int zn__survey_add(struct zn_survey *survey, struct zn_socket *socket, uint64_t id);
// All receivers are in; a survey that waits for nobody ends by itself from now on.
void zn__survey_seal(struct zn_survey *survey);

// From ack.c: an answer came, or a socket went away; the wait is over before that is reported,
// since a report may be the last one and let the application do anything.
void zn__survey_answer(struct zn_wait *wait, const struct zn_args *args);
void zn__survey_gone(struct zn_wait *wait);
// From ack.c: a wait is about to be freed.
void zn__survey_remove(struct zn_wait *wait);

void zn__survey_timeout(struct zn_reactor *reactor, struct zn_timer *timer);

#endif
