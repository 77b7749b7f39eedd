package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readpref"
)

// Order is kept once DocumentDB has acknowledged it; Done says when the worker has handled it.
type Order struct {
	ID       string     `bson:"_id" json:"id"`
	Item     string     `bson:"item" json:"item"`
	Quantity int        `bson:"quantity" json:"quantity"`
	Created  time.Time  `bson:"created" json:"-"`
	Done     *time.Time `bson:"done" json:"done"`
}

// documents opens nothing yet: a store that is away delays the first requests and not the start.
func documents(given Documents) (*mongo.Database, error) {
	trust := "tlsInsecure=true"
	if given.authority != "" {
		trust = "tlsCAFile=" + given.authority
	}
	address := fmt.Sprintf("mongodb://%s@%s:%s,%s:%s/?%s&%s", url.UserPassword(given.user, given.password),
		given.host, given.port, given.reader, given.port, given.options, trust)
	client, err := mongo.Connect(context.Background(), options.Client().ApplyURI(address).
		SetServerSelectionTimeout(3*time.Second).SetConnectTimeout(3*time.Second).SetSocketTimeout(10*time.Second))
	if err != nil {
		return nil, err
	}
	return client.Database(given.database), nil
}

// keep returns once the order is acknowledged. Twice is once. The driver repeats no write (retryWrites=false): where no
// answer comes, the client sends the order again.
func keep(ctx context.Context, orders *mongo.Collection, order Order) error {
	_, err := orders.InsertOne(ctx, order)
	if mongo.IsDuplicateKeyError(err) {
		return nil
	}
	return err
}

// find asks a replica, and the primary for what has not reached that one yet.
func find(ctx context.Context, orders *mongo.Collection, number string) (*Order, error) {
	replica, err := orders.Clone(options.Collection().SetReadPreference(readpref.SecondaryPreferred()))
	if err != nil {
		return nil, err
	}
	var order Order
	for _, each := range []*mongo.Collection{replica, orders} {
		if err = each.FindOne(ctx, bson.M{"_id": number}).Decode(&order); err != mongo.ErrNoDocuments {
			return &order, err
		}
	}
	return nil, nil
}

// handle marks the order; false where it is done already.
func handle(ctx context.Context, orders *mongo.Collection, number string) (bool, error) {
	done := bson.M{"$set": bson.M{"done": time.Now().UTC()}}
	found, err := orders.UpdateOne(ctx, bson.M{"_id": number, "done": nil}, done)
	return err == nil && found.MatchedCount > 0, err
}

// migrate is commands.migrate of the system. It may run again.
func migrate(ctx context.Context, orders *mongo.Collection) error {
	_, err := orders.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "done", Value: 1}, {Key: "created", Value: 1}}})
	return err
}
