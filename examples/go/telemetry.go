package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

var requests = prometheus.NewCounterVec(
	prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests"}, []string{"method", "route", "status"})
var seconds = prometheus.NewHistogramVec(
	prometheus.HistogramOpts{Name: "http_request_duration_seconds", Help: "Time to answer"}, []string{"method", "route"})

func init() { prometheus.MustRegister(requests, seconds) }

var out sync.Mutex

// say prints a line of JSON.
func say(ctx context.Context, level, message string, fields map[string]interface{}) {
	line := map[string]interface{}{"time": time.Now().UTC().Format(time.RFC3339Nano), "level": level, "message": message}
	for key, value := range fields {
		line[key] = value
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		line["trace_id"] = span.TraceID().String()
	}
	text, _ := json.Marshal(line)
	out.Lock()
	defer out.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

// traces sends what Kong chose, and a share of what begins here. The function that it returns sends the rest. Without a
// collector nothing is traced.
func traces(given Settings) (func(context.Context) error, error) {
	if given.collector == "" {
		return func(context.Context) error { return nil }, nil
	}
	if given.protocol != "http/protobuf" {
		return nil, fmt.Errorf("the collector speaks %s, and this system http/protobuf alone", given.protocol)
	}
	share, err := strconv.ParseFloat(given.samplerShare, 64)
	if err != nil {
		return nil, err
	}
	provider := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(share))),
		sdk.WithBatcher(exporter(given.collector+"/v1/traces")),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", given.name))),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return provider.Shutdown, nil
}

// exporter is an address to send to: Debian 12 has OpenTelemetry for Go without its exporter for OTLP. The numbers are
// those of opentelemetry/proto/trace/v1/trace.proto.
type exporter string

func (address exporter) Shutdown(context.Context) error { return nil }

func (address exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	var kept []byte
	for _, span := range spans {
		kept = inside(kept, 2, encoded(span))
	}
	about := words(nil, 1, spans[0].Resource().Attributes())
	body := inside(nil, 1, inside(inside(nil, 1, about), 2, kept))
	request, err := http.NewRequestWithContext(ctx, "POST", string(address), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the collector answers %s", answer.Status)
	}
	return nil
}

func encoded(span sdk.ReadOnlySpan) []byte {
	id, number := span.SpanContext().TraceID(), span.SpanContext().SpanID()
	found := inside(inside(nil, 1, id[:]), 2, number[:])
	if parent := span.Parent().SpanID(); parent.IsValid() {
		found = inside(found, 4, parent[:])
	}
	found = inside(found, 5, []byte(span.Name()))
	found = protowire.AppendVarint(protowire.AppendTag(found, 6, protowire.VarintType), uint64(span.SpanKind()))
	found = protowire.AppendFixed64(protowire.AppendTag(found, 7, protowire.Fixed64Type), uint64(span.StartTime().UnixNano()))
	found = protowire.AppendFixed64(protowire.AppendTag(found, 8, protowire.Fixed64Type), uint64(span.EndTime().UnixNano()))
	return words(found, 9, span.Attributes())
}

func words(found []byte, number protowire.Number, attributes []attribute.KeyValue) []byte {
	for _, each := range attributes {
		value := inside(nil, 1, []byte(each.Value.Emit()))
		found = inside(found, number, inside(inside(nil, 1, []byte(each.Key)), 2, value))
	}
	return found
}

func inside(found []byte, number protowire.Number, part []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(found, number, protowire.BytesType), part)
}
