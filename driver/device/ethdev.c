// SPDX-License-Identifier: Apache-2.0
// See ethdev.h. One mempool a port; a queue pair a wire; packets are copied into mbufs on the way
// out.
#include "device/ethdev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

enum {
    RX_RING = 1024,
    TX_RING = 1024,
    BURST = 256,
    MBUFS_A_QUEUE = 8192,
    MBUF_CACHE = 256,
};

// What the queues of one port share.
struct port {
    uint16_t id;
    bool hotplugged;
    unsigned open; // wires
    struct rte_mempool *pool;
    char name[64];
};

struct ethdev_wire {
    struct zn_wire base;
    struct port *port;
    uint16_t queue;
    uint16_t rx_len;
    uint16_t tx_len;
    struct rte_mbuf *rx[BURST];
    struct rte_mbuf *tx[BURST];
};

int zn_ethdev_init(int argc, char **argv)
{
    return rte_eal_init(argc, argv) < 0 ? -EINVAL : 0;
}

static void release_rx(struct ethdev_wire *wire)
{
    rte_pktmbuf_free_bulk(wire->rx, wire->rx_len);
    wire->rx_len = 0;
}

static unsigned ethdev_receive(struct zn_wire *base, struct zn_wire_packet *burst, unsigned max)
{
    struct ethdev_wire *wire = (struct ethdev_wire *)base;
    release_rx(wire);
    wire->rx_len = rte_eth_rx_burst(wire->port->id, wire->queue, wire->rx,
                                    (uint16_t)(max < BURST ? max : BURST));
    unsigned count = 0;
    for (unsigned i = 0; i < wire->rx_len; i++) {
        struct rte_mbuf *mbuf = wire->rx[i];
        // The stack reads a packet as one piece; a chained one is of a jumbo frame or of an offload
        // that is off.
        if (rte_pktmbuf_linearize(mbuf) != 0)
            continue;
        burst[count++] = (struct zn_wire_packet){ rte_pktmbuf_mtod(mbuf, uint8_t *),
                                                  rte_pktmbuf_data_len(mbuf) };
    }
    return count;
}

static void ethdev_flush(struct zn_wire *base)
{
    struct ethdev_wire *wire = (struct ethdev_wire *)base;
    uint16_t sent = 0;
    // A software port takes what it can and says so; what it does not take in a few tries is lost
    // like on any full link.
    for (int tries = 0; sent < wire->tx_len && tries < 8; tries++)
        sent = (uint16_t)(sent + rte_eth_tx_burst(wire->port->id, wire->queue, wire->tx + sent,
                                                  (uint16_t)(wire->tx_len - sent)));
    rte_pktmbuf_free_bulk(wire->tx + sent, wire->tx_len - sent);
    wire->tx_len = 0;
}

static bool ethdev_send(struct zn_wire *base, const struct iovec *iov, unsigned iov_len)
{
    struct ethdev_wire *wire = (struct ethdev_wire *)base;
    if (wire->tx_len == BURST)
        ethdev_flush(base);
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(wire->port->pool);
    if (mbuf == NULL)
        return false;
    for (unsigned i = 0; i < iov_len; i++) {
        if (iov[i].iov_len == 0)
            continue;
        char *at = rte_pktmbuf_append(mbuf, (uint16_t)iov[i].iov_len);
        if (at == NULL) {
            rte_pktmbuf_free(mbuf);
            return false;
        }
        memcpy(at, iov[i].iov_base, iov[i].iov_len);
    }
    wire->tx[wire->tx_len++] = mbuf;
    return true;
}

static void port_close(struct port *port)
{
    rte_eth_dev_stop(port->id);
    rte_eth_dev_close(port->id);
    rte_mempool_free(port->pool);
    free(port);
}

static void ethdev_close(struct zn_wire *base)
{
    struct ethdev_wire *wire = (struct ethdev_wire *)base;
    release_rx(wire);
    ethdev_flush(base);
    if (--wire->port->open == 0)
        port_close(wire->port);
    free(wire);
}

static const struct zn_wire_ops ethdev_ops = {
    .receive = ethdev_receive,
    .send = ethdev_send,
    .flush = ethdev_flush,
    .close = ethdev_close,
};

// Finds or makes the port; its id, or -ENODEV.
static int port_find(const char *name)
{
    uint16_t id;
    char *end;
    unsigned long index = strtoul(name, &end, 10);
    if (*name != '\0' && *end == '\0')
        return index < RTE_MAX_ETHPORTS && rte_eth_dev_is_valid_port((uint16_t)index) ? (int)index
                                                                                      : -ENODEV;
    char device[64];
    snprintf(device, sizeof(device), "%.*s", (int)strcspn(name, ","), name);
    if (rte_eth_dev_get_port_by_name(device, &id) == 0)
        return id;
    if (rte_eal_hotplug_add("vdev", device,
                            name[strlen(device)] == ',' ? name + strlen(device) + 1 : "") < 0)
        return -ENODEV;
    return rte_eth_dev_get_port_by_name(device, &id) == 0 ? id : -ENODEV;
}

static int queues_set_up(struct port *port, unsigned queues, const struct rte_eth_dev_info *info)
{
    int socket = rte_eth_dev_socket_id(port->id);
    uint16_t rx_ring = RX_RING;
    uint16_t tx_ring = TX_RING;
    if (rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx_ring, &tx_ring) != 0)
        return -EIO;
    for (unsigned i = 0; i < queues; i++) {
        uint16_t q = (uint16_t)i;
        if (rte_eth_rx_queue_setup(port->id, q, rx_ring, (unsigned)socket, &info->default_rxconf,
                                   port->pool) != 0 ||
            rte_eth_tx_queue_setup(port->id, q, tx_ring, (unsigned)socket, &info->default_txconf) !=
                0)
            return -EIO;
    }
    return 0;
}

// RSS over addresses and ports, so that all packets of a connection come to one queue.
static int port_start(struct port *port, unsigned queues, uint16_t mtu)
{
    struct rte_eth_dev_info info;
    if (rte_eth_dev_info_get(port->id, &info) != 0)
        return -EIO;
    if (queues > info.max_rx_queues || queues > info.max_tx_queues)
        return -ENOTSUP;
    struct rte_eth_conf conf = { 0 };
    if (queues > 1) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf =
            (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP) &
            info.flow_type_rss_offloads;
        if (conf.rx_adv_conf.rss_conf.rss_hf == 0)
            return -ENOTSUP;
    }
    if (rte_eth_dev_configure(port->id, (uint16_t)queues, (uint16_t)queues, &conf) != 0)
        return -EIO;
    int err = queues_set_up(port, queues, &info);
    if (err != 0)
        return err;
    if (rte_eth_dev_set_mtu(port->id, mtu) != 0) {
        uint16_t is = 0;
        if (rte_eth_dev_get_mtu(port->id, &is) == 0 && is != 0 && is < mtu)
            return -EIO; // many software ports cannot set it, and take what fits anyway
    }
    return rte_eth_dev_start(port->id) != 0 ? -EIO : 0;
}

static struct zn_wire *wire_of(struct port *port, unsigned queue, uint16_t mtu)
{
    struct ethdev_wire *wire = calloc(1, sizeof(*wire));
    struct rte_ether_addr mac;
    if (wire == NULL || rte_eth_macaddr_get(port->id, &mac) != 0) {
        free(wire);
        return NULL;
    }
    wire->base.ops = &ethdev_ops;
    wire->base.mtu = mtu;
    memcpy(wire->base.mac, mac.addr_bytes, 6);
    wire->port = port;
    wire->queue = (uint16_t)queue;
    return &wire->base;
}

int zn_ethdev_open(const char *name, unsigned queues, uint16_t mtu, struct zn_wire **wires)
{
    struct port *port = calloc(1, sizeof(*port));
    if (port == NULL)
        return -ENOMEM;
    int id = port_find(name);
    if (id < 0) {
        free(port);
        return id;
    }
    port->id = (uint16_t)id;
    snprintf(port->name, sizeof(port->name), "zn%d", id);
    uint16_t room = (uint16_t)(RTE_PKTMBUF_HEADROOM + (mtu > 2000 ? mtu + 64 : 2048));
    port->pool = rte_pktmbuf_pool_create(port->name, queues * MBUFS_A_QUEUE, MBUF_CACHE, 0, room,
                                         rte_eth_dev_socket_id(port->id));
    int err = port->pool == NULL ? -ENOMEM : port_start(port, queues, mtu);
    for (unsigned q = 0; err == 0 && q < queues; q++) {
        wires[q] = wire_of(port, q, mtu);
        port->open += wires[q] != NULL;
        err = wires[q] == NULL ? -ENOMEM : 0;
    }
    if (err != 0) {
        for (unsigned q = 0; q < port->open; q++)
            free(wires[q]);
        port_close(port);
    }
    return err;
}
