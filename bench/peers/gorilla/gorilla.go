// SPDX-License-Identifier: Apache-2.0

// gorilla/websocket: a reading goroutine per connection; for fan-out a hub and a writing goroutine per
// connection, as in its chat example, with a PreparedMessage so that a broadcast is framed once. Write
// buffers are pooled, as its documentation advises for many idle connections. Runs on one core.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"runtime"
	"sync"

	"github.com/gorilla/websocket"
)

const sendQueue = 256

type client struct {
	conn *websocket.Conn
	send chan *websocket.PreparedMessage
}

type hub struct {
	join, leave chan *client
	publish     chan *websocket.PreparedMessage
}

var upgrader = websocket.Upgrader{
	WriteBufferPool: &sync.Pool{},
	CheckOrigin:     func(*http.Request) bool { return true },
}

func (h *hub) run() {
	clients := map[*client]bool{}
	for {
		select {
		case c := <-h.join:
			clients[c] = true
		case c := <-h.leave:
			if clients[c] {
				delete(clients, c)
				close(c.send)
			}
		case message := <-h.publish:
			for c := range clients {
				select {
				case c.send <- message:
				default: // too slow: dropped, as in the example
					delete(clients, c)
					close(c.send)
				}
			}
		}
	}
}

func (c *client) write() {
	for message := range c.send {
		if c.conn.WritePreparedMessage(message) != nil {
			break
		}
	}
	c.conn.Close()
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &client{conn, make(chan *websocket.PreparedMessage, sendQueue)}
	h.join <- c
	go c.write()
	defer func() { h.leave <- c }()
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		message, err := websocket.NewPreparedMessage(kind, data)
		if err != nil {
			return
		}
		h.publish <- message
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

func main() {
	bench := flag.String("bench", "echo", "echo or bcast")
	port := flag.Int("port", 0, "port to listen on")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	handler := echo
	if *bench == "bcast" {
		h := &hub{make(chan *client), make(chan *client), make(chan *websocket.PreparedMessage)}
		go h.run()
		handler = h.serve
	}
	http.HandleFunc("/ws", handler)
	log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), nil))
}
