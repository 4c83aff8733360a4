// SPDX-License-Identifier: Apache-2.0
// Messages from a core, as bytes. What a device says is checked before anybody believes a length of
// it.
#include "device/device.h"

bool zn_device_message_read(uint8_t *bytes, size_t len, struct zn_device_message *message_out)
{
    const struct zn_acc_rx_annotation *annotation = (const void *)bytes;
    const struct zn_acc_report_header *report = (const void *)bytes;
    if (len < sizeof(*annotation) || annotation->version != ZN_CONTRACT_VERSION)
        return false;
    size_t rest = len - sizeof(*annotation);
    if (report->kind == ZN_MSG_REPORT) {
        *message_out = (struct zn_device_message){ .records = (const void *)(report + 1),
                                                   .records_len = report->count };
        return report->count * sizeof(*message_out->records) <= rest;
    }
    *message_out = (struct zn_device_message){ .annotation = annotation,
                                               .packet = bytes + sizeof(*annotation),
                                               .len = annotation->packet_length };
    if (annotation->packet_length == 0 || annotation->packet_length > rest)
        message_out->len = rest; // not known when the header left, or padded on the way
    return annotation->kind == ZN_MSG_RX_PACKET &&
           (annotation->reason != ZN_REASON_OK ||
            annotation->payload_offset + (size_t)annotation->payload_length <= message_out->len);
}
