package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// An order that waits for longer was lost by the queue: a failover of ElastiCache leaves behind what no replica has.
const forgotten = 5 * time.Second
const group = "workers"

// stream is the queue. All systems share the group of Redis, so keys begin with a system's name.
func stream(system string) string { return system + ":orders" }

func announce(broker *redis.Pool, system, number string) error {
	_, err := do(broker, "XADD", stream(system), "MAXLEN", "~", 10000, "*", "order", number)
	return err
}

// work handles orders until the context ends; what has begun is ended first.
func work(ctx context.Context, given Settings, stores Stores) {
	go func() {
		for ctx.Err() == nil {
			sweep(ctx, stores.orders)
			time.Sleep(time.Second)
		}
	}()
	name, _ := os.Hostname()
	for ctx.Err() == nil {
		if err := take(given.name, name, stores); err != nil {
			say(ctx, "WARNING", "a store does not answer", map[string]interface{}{"error": err.Error()})
			time.Sleep(time.Second)
		}
	}
}

// take handles new entries of the stream, waiting for at most two seconds.
func take(system, name string, stores Stores) error {
	connection := stores.broker.Get()
	defer connection.Close()
	found, err := redis.Values(connection.Do(
		"XREADGROUP", "GROUP", group, name, "COUNT", 20, "BLOCK", 2000, "STREAMS", stream(system), ">"))
	if err == redis.ErrNil {
		return nil
	}
	if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") {
		_, err = connection.Do("XGROUP", "CREATE", stream(system), group, "0", "MKSTREAM")
		return err
	}
	if err != nil {
		return err
	}
	for _, each := range found {
		parts, err := redis.Values(each, nil)
		if err != nil {
			return err
		}
		entries, err := redis.Values(parts[1], nil)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			pair, err := redis.Values(entry, nil)
			if err != nil {
				return err
			}
			fields, err := redis.StringMap(pair[1], nil)
			if err != nil {
				return err
			}
			if err := one(stores.orders, fields["order"]); err != nil {
				return err
			}
			if _, err := connection.Do("XACK", stream(system), group, pair[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

func sweep(ctx context.Context, orders *mongo.Collection) {
	oldest := options.Find().SetSort(bson.M{"created": 1}).SetLimit(100)
	found, err := orders.Find(ctx, bson.M{"done": nil}, oldest)
	if err != nil {
		return
	}
	var waiting []Order
	if err := found.All(ctx, &waiting); err != nil {
		return
	}
	for _, order := range waiting {
		if time.Since(order.Created) > forgotten {
			if err := one(orders, order.ID); err != nil {
				return
			}
		}
	}
}

// one is not stopped in the middle by the end of the worker.
func one(orders *mongo.Collection, number string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done, err := handle(ctx, orders, number)
	if done {
		say(ctx, "INFO", "order handled", map[string]interface{}{"order": number})
	}
	return err
}
