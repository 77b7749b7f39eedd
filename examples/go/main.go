// Orders, kept in DocumentDB: `app` serves, `app worker` and `app migrate` are commands of the system.
package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.mongodb.org/mongo-driver/bson"
	"go.opentelemetry.io/otel"
)

func main() {
	given := settings()
	background := context.Background()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		say(background, "WARNING", "traces are not sent", map[string]interface{}{"error": err.Error()})
	}))
	database, err := documents(given.documents)
	must(err)
	orders := database.Collection("orders")
	if len(os.Args) > 1 && os.Args[1] == "migrate" {
		ctx, cancel := context.WithTimeout(background, time.Minute)
		defer cancel()
		must(migrate(ctx, orders))
		say(ctx, "INFO", "indexes are there", nil)
		return
	}
	identity := &Identity{}
	stores := Stores{
		orders: orders,
		cache:  pool(given.redisHost, given.redisGroup, given, identity),
		reader: pool(given.redisReader, given.redisGroup, given, identity),
		broker: pool(given.redisBroker, given.brokerGroup, given, identity),
	}
	end, err := traces(given)
	must(err)
	ctx, stop := signal.NotifyContext(background, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		say(ctx, "INFO", "worker started", nil)
		work(ctx, given, stores)
	} else {
		serve(ctx, given, stores)
	}
	say(background, "INFO", "stopped", nil)
	must(end(background))
}

// serve answers until the context ends, then ends what is in flight. Of the 60 seconds that the pod has, 25 are its
// pause before the signal.
func serve(ctx context.Context, given Settings, stores Stores) {
	if given.metricsPort != "" {
		go func() { must(http.ListenAndServe(":"+given.metricsPort, promhttp.Handler())) }()
	}
	check := func(ctx context.Context) map[string]string {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		found := map[string]string{}
		if err := stores.orders.Database().RunCommand(ctx, bson.M{"ping": 1}).Err(); err != nil {
			found["documentdb"] = err.Error()
		}
		connection := stores.broker.Get()
		defer connection.Close()
		if _, err := connection.Do("PING"); err != nil {
			found["redis"] = err.Error()
		}
		return found
	}
	keep := func(ctx context.Context, order Order) error { return keep(ctx, stores.orders, order) }
	server := &http.Server{
		Addr:              ":" + given.port,
		Handler:           Server{given, stores, check, keep},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       10 * time.Second, // Kong keeps a connection for a second
	}
	ended := make(chan struct{})
	go func() {
		<-ctx.Done()
		limit, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		server.Shutdown(limit)
		close(ended)
	}()
	say(ctx, "INFO", "server started", nil)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		must(err)
	}
	<-ended
}

func must(err error) {
	if err != nil {
		say(context.Background(), "ERROR", err.Error(), nil)
		os.Exit(1)
	}
}
