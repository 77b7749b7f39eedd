package main

import (
	"log"
	"os"
	"strings"
)

// Settings is what the platform hands over. Every variable that this system reads is read in settings.go, but for
// those of EKS in identity.go.
type Settings struct {
	name, port, metricsPort, basePath, publicHost, publicURL, region string
	collector, protocol, samplerShare                                string
	redisHost, redisReader, redisBroker, redisPort                   string
	redisUser, redisGroup, brokerGroup                               string
	documents                                                        Documents
}

// Documents is where DocumentDB is; options is the end of the connection string.
type Documents struct {
	host, reader, port, database, user, password, options, authority string
}

// env ends the process where a variable is missing: at the start, and not at the first request.
func env(name string) string {
	value, found := os.LookupEnv(name)
	if !found {
		log.Fatalf(`{"level": "ERROR", "message": "the variable %s is missing"}`, name)
	}
	return value
}

func settings() Settings {
	authority, _ := os.LookupEnv("DOCUMENTDB_TLS_CA")
	metricsPort, _ := os.LookupEnv("METRICS_PORT")
	untraced, _ := os.LookupEnv("OTEL_SDK_DISABLED")
	found := Settings{
		name:        env("OTEL_SERVICE_NAME"),
		port:        env("PORT"),
		metricsPort: metricsPort,
		basePath:    strings.TrimSuffix(env("BASE_PATH"), "/"),
		publicHost:  env("PUBLIC_HOST"),
		publicURL:   env("PUBLIC_URL"),
		region:      env("AWS_REGION"),
		redisHost:   env("REDIS_HOST"),
		redisReader: env("REDIS_READER_HOST"),
		redisBroker: env("REDIS_BROKER_HOST"),
		redisPort:   env("REDIS_PORT"),
		redisUser:   env("REDIS_USER"),
		redisGroup:  env("REDIS_GROUP"),
		brokerGroup: env("REDIS_BROKER_GROUP"),
		documents: Documents{
			host:      env("DOCUMENTDB_HOST"),
			reader:    env("DOCUMENTDB_READER_HOST"),
			port:      env("DOCUMENTDB_PORT"),
			database:  env("DOCUMENTDB_NAME"),
			user:      env("DOCUMENTDB_USER"),
			password:  env("DOCUMENTDB_PASSWORD"),
			options:   env("DOCUMENTDB_OPTIONS"),
			authority: authority,
		},
	}
	if untraced != "true" {
		found.collector = env("OTEL_EXPORTER_OTLP_ENDPOINT")
		found.protocol = env("OTEL_EXPORTER_OTLP_PROTOCOL")
		found.samplerShare = env("OTEL_TRACES_SAMPLER_ARG")
	}
	return found
}
