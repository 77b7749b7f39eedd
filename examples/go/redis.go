package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/gomodule/redigo/redis"
)

// The hash of a body that is empty.
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Token is the password of a new connection: a presigned request, valid for 900 seconds. It is made without a request
// to AWS, so that none need be kept.
func Token(credentials aws.Credentials, group, user, region string, now time.Time) (string, error) {
	request, err := http.NewRequest("GET", "http://"+group+"/?Action=connect&User="+user+"&X-Amz-Expires=900", nil)
	if err != nil {
		return "", err
	}
	address, _, err := signer.NewSigner().PresignHTTP(
		context.Background(), credentials, request, empty, "elasticache", region, now)
	return strings.TrimPrefix(address, "http://"), err
}

// pool has connections by TLS. One that was idle is asked before it is used again: after a failover it is gone.
func pool(host, group string, given Settings, identity *Identity) *redis.Pool {
	return &redis.Pool{
		MaxIdle:         4,
		MaxActive:       20,
		Wait:            true,
		IdleTimeout:     time.Minute,
		MaxConnLifetime: time.Hour,
		Dial: func() (redis.Conn, error) {
			credentials, err := identity.Get()
			if err != nil {
				return nil, err
			}
			token, err := Token(credentials, group, given.redisUser, given.region, time.Now())
			if err != nil {
				return nil, err
			}
			return redis.Dial("tcp", host+":"+given.redisPort,
				redis.DialUseTLS(true),
				redis.DialUsername(given.redisUser),
				redis.DialPassword(token),
				redis.DialConnectTimeout(3*time.Second),
				redis.DialReadTimeout(5*time.Second),
				redis.DialWriteTimeout(5*time.Second),
			)
		},
		TestOnBorrow: func(connection redis.Conn, idle time.Time) error {
			if time.Since(idle) < 5*time.Second {
				return nil
			}
			_, err := connection.Do("PING")
			return err
		},
	}
}

// do asks once more where a connection was lost.
func do(pool *redis.Pool, command string, words ...interface{}) (interface{}, error) {
	var answer interface{}
	var err error
	for try := 0; try < 2; try++ {
		connection := pool.Get()
		answer, err = connection.Do(command, words...)
		lost := connection.Err() != nil
		connection.Close()
		if !lost {
			break
		}
	}
	return answer, err
}
