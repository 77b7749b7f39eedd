package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
	"go.mongodb.org/mongo-driver/mongo"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Stores is what requests need.
type Stores struct {
	orders                *mongo.Collection
	cache, reader, broker *redis.Pool
}

// Server answers; check says what is wrong with the stores.
type Server struct {
	given  Settings
	stores Stores
	check  func(context.Context) map[string]string
	keep   func(context.Context, Order) error
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (found *recorder) WriteHeader(status int) {
	found.status = status
	found.ResponseWriter.WriteHeader(status)
}

// ServeHTTP counts, times, traces and logs every request but probes. Paths are without that of the system, which Kong
// takes off.
func (server Server) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	switch request.URL.Path {
	case "/livez":
		answer(writer, 200, map[string]string{"status": "live"})
		return
	case "/readyz":
		wrong := server.check(request.Context())
		if len(wrong) > 0 {
			answer(writer, 503, map[string]interface{}{"status": "not ready", "wrong": wrong})
		} else {
			answer(writer, 200, map[string]string{"status": "ready"})
		}
		return
	}
	begun := time.Now()
	route, handler := server.route(request)
	ctx := otel.GetTextMapPropagator().Extract(request.Context(), propagation.HeaderCarrier(request.Header))
	ctx, span := otel.Tracer("server").Start(ctx, request.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer))
	found := &recorder{writer, 200}
	handler(found, request.WithContext(ctx))
	span.SetAttributes(attribute.Int("http.status_code", found.status))
	span.End()
	took := time.Since(begun)
	requests.WithLabelValues(request.Method, route, fmt.Sprint(found.status)).Inc()
	seconds.WithLabelValues(request.Method, route).Observe(took.Seconds())
	say(ctx, "INFO", "request", map[string]interface{}{
		"method": request.Method, "path": server.given.basePath + request.URL.Path, "status": found.status,
		"ms": took.Milliseconds(), "request_id": request.Header.Get("X-Request-ID"), "client": client(request),
	})
}

// client is who sent the request. The first of X-Forwarded-For is what the client says of itself.
func client(request *http.Request) string { return request.Header.Get("X-Real-IP") }

func (server Server) route(request *http.Request) (string, http.HandlerFunc) {
	path, method := request.URL.Path, request.Method
	number := strings.TrimPrefix(path, "/orders/")
	switch {
	case request.Host != server.given.publicHost:
		return "none", func(w http.ResponseWriter, _ *http.Request) { wrong(w, 400, "unknown host") }
	case path == "/" && method == "GET":
		return "/", server.index
	case path == "/whoami" && method == "GET":
		return "/whoami", server.whoami
	case path == "/orders" && method == "POST":
		return "/orders", server.place
	case uuid.MatchString(number) && method == "GET":
		return "/orders/{number}", func(w http.ResponseWriter, r *http.Request) { server.show(w, r, number) }
	}
	return "none", func(w http.ResponseWriter, _ *http.Request) { wrong(w, 404, "nothing here") }
}

func (server Server) index(writer http.ResponseWriter, _ *http.Request) {
	answer(writer, 200, map[string]string{"system": server.given.name, "orders": server.given.publicURL + "/orders"})
}

// whoami is what a request looks like from here, for those who look for a wrong header.
func (server Server) whoami(writer http.ResponseWriter, request *http.Request) {
	answer(writer, 200, map[string]string{
		"url":        request.Header.Get("X-Forwarded-Proto") + "://" + request.Host + server.given.basePath + request.URL.Path,
		"client":     client(request),
		"request_id": request.Header.Get("X-Request-ID"),
	})
}

// place answers once the order is kept. With the same Idempotency-Key it may be sent again, and must be where no answer
// came.
func (server Server) place(writer http.ResponseWriter, request *http.Request) {
	var order Order
	if err := json.NewDecoder(http.MaxBytesReader(writer, request.Body, 1<<20)).Decode(&order); err != nil {
		wrong(writer, 400, err.Error())
		return
	}
	if order.Item == "" || len(order.Item) > 200 || order.Quantity < 1 || order.Quantity > 1000 {
		wrong(writer, 400, "an order has an item and a quantity from 1 to 1000")
		return
	}
	order.ID, order.Created, order.Done = request.Header.Get("Idempotency-Key"), time.Now().UTC(), nil
	if order.ID == "" {
		order.ID = random()
	}
	if !uuid.MatchString(order.ID) {
		wrong(writer, 400, "Idempotency-Key is a UUID")
		return
	}
	ctx, cancel := context.WithTimeout(request.Context(), 8*time.Second)
	defer cancel()
	if err := server.keep(ctx, order); err != nil {
		say(ctx, "WARNING", "DocumentDB does not answer", map[string]interface{}{"error": err.Error()})
		wrong(writer, 503, "not kept; send it again")
		return
	}
	// Only a hint: the worker looks into DocumentDB, too.
	if server.stores.broker != nil {
		if err := announce(server.stores.broker, server.given.name, order.ID); err != nil {
			say(ctx, "WARNING", "the broker does not answer", map[string]interface{}{"error": err.Error()})
		}
	}
	writer.Header().Set("Location", server.given.publicURL+"/orders/"+order.ID)
	answer(writer, 201, order)
}

func (server Server) show(writer http.ResponseWriter, request *http.Request, number string) {
	key := server.given.name + ":order:" + number
	if kept, err := redis.Bytes(do(server.stores.reader, "GET", key)); err == nil {
		writer.Header().Set("Content-Type", "application/json")
		writer.Write(kept)
		return
	}
	order, err := find(request.Context(), server.stores.orders, number)
	if err != nil {
		say(request.Context(), "WARNING", "DocumentDB does not answer", map[string]interface{}{"error": err.Error()})
		wrong(writer, 503, "DocumentDB does not answer")
		return
	}
	if order == nil {
		wrong(writer, 404, "no such order")
		return
	}
	if order.Done != nil { // it does not change any more
		text, _ := json.Marshal(order)
		if _, err := do(server.stores.cache, "SET", key, text, "EX", 60); err != nil {
			say(request.Context(), "WARNING", "the cache does not answer", nil)
		}
	}
	answer(writer, 200, order)
}

func answer(writer http.ResponseWriter, status int, found interface{}) {
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	json.NewEncoder(writer).Encode(found)
}

func wrong(writer http.ResponseWriter, status int, detail string) {
	answer(writer, status, map[string]string{"detail": detail})
}

func random() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
