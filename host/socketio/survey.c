// SPDX-License-Identifier: Apache-2.0
// See survey.h.
#include "survey.h"

#include "gather.h"

#include <stdlib.h>

struct zn_survey *zn__survey_create(struct zn_io_shard *shard, unsigned from, uint64_t ask,
                                    uint32_t timeout_ms)
{
    struct zn_survey *survey = calloc(1, sizeof(*survey));
    if (survey == NULL)
        return NULL;
    survey->shard = shard;
    survey->from = from;
    survey->ask = ask;
    survey->open = true;
    survey->timer.spare = ZN_IO_TIMER_SURVEY;
    if (timeout_ms > 0)
        zn__reactor_timer(shard->reactor, &survey->timer, ZN_TIMER_IO, timeout_ms);
    return survey;
}

int zn__survey_add(struct zn_survey *survey, struct zn_socket *socket, uint64_t id)
{
    struct zn_wait *wait;
    int err = zn__ack_wait(socket, id, &wait);
    if (err < 0)
        return err;
    wait->survey = survey;
    wait->next = survey->waits;
    wait->link = &survey->waits;
    if (wait->next != NULL)
        wait->next->link = &wait->next;
    survey->waits = wait;
    return 0;
}

static void end_if_done(struct zn_survey *survey)
{
    if (survey->open || survey->waits != NULL)
        return;
    zn__reactor_untimer(survey->shard->reactor, &survey->timer);
    free(survey);
}

void zn__survey_seal(struct zn_survey *survey)
{
    survey->open = false;
    end_if_done(survey);
}

void zn__survey_remove(struct zn_wait *wait)
{
    *wait->link = wait->next;
    if (wait->next != NULL)
        wait->next->link = wait->link;
    end_if_done(wait->survey);
}

void zn__survey_answer(struct zn_wait *wait, const struct zn_args *args)
{
    struct zn_survey survey = *wait->survey;
    zn__ack_remove(wait); // and perhaps the survey with it
    zn__gather_report_answer(survey.shard, survey.from, survey.ask, args);
}

void zn__survey_gone(struct zn_wait *wait)
{
    struct zn_survey survey = *wait->survey;
    zn__ack_remove(wait);
    zn__gather_report_gone(survey.shard, survey.from, survey.ask);
}

void zn__survey_timeout(struct zn_reactor *reactor, struct zn_timer *timer)
{
    (void)reactor;
    struct zn_survey *survey =
        (struct zn_survey *)((char *)timer - offsetof(struct zn_survey, timer));
    survey->open = true;
    while (survey->waits != NULL)
        zn__ack_remove(survey->waits);
    zn__survey_seal(survey);
}
