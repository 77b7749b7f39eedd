package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const number = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

var shop = Settings{name: "shop", basePath: "/shop", publicHost: "app.example.com", publicURL: "https://app.example.com/shop"}

// asked is a request as Kong hands it on: without the path of the system, with the name that users type.
func asked(server Server, method, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Host = "app.example.com"
	for name, value := range map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1",
		"X-Real-IP": "203.0.113.7", "X-Request-ID": "it", "Idempotency-Key": number} {
		request.Header.Set(name, value)
	}
	found := httptest.NewRecorder()
	server.ServeHTTP(found, request)
	return found
}

func TestAnOrderIsAcknowledgedOnceItIsKept(t *testing.T) {
	var kept []Order
	away := false
	server := Server{given: shop, keep: func(_ context.Context, order Order) error {
		if away {
			return errors.New("away")
		}
		kept = append(kept, order)
		return nil
	}}
	found := asked(server, "POST", "/orders", `{"item": "chair", "quantity": 2}`)
	if found.Code != 201 || found.Header().Get("Location") != "https://app.example.com/shop/orders/"+number {
		t.Fatal(found.Code, found.Header())
	}
	if len(kept) != 1 || kept[0].ID != number || kept[0].Quantity != 2 {
		t.Fatal(kept)
	}
	away = true
	if found := asked(server, "POST", "/orders", `{"item": "chair", "quantity": 2}`); found.Code != 503 {
		t.Fatal(found.Code)
	}
}

func TestAWrongOrderIsRefused(t *testing.T) {
	server := Server{given: shop, keep: func(context.Context, Order) error { t.Fatal("kept"); return nil }}
	for _, body := range []string{`{`, `{"item": ""}`, `{"item": "chair"}`, `{"item": "chair", "quantity": 1001}`} {
		if found := asked(server, "POST", "/orders", body); found.Code != 400 {
			t.Fatal(body, found.Code)
		}
	}
}

func TestARequestLooksAsItDidToTheClient(t *testing.T) {
	var seen map[string]string
	json.Unmarshal(asked(Server{given: shop}, "GET", "/whoami", "").Body.Bytes(), &seen)
	if seen["url"] != "https://app.example.com/shop/whoami" || seen["client"] != "203.0.113.7" {
		t.Fatal(seen)
	}
	request := httptest.NewRequest("GET", "/whoami", nil)
	request.Host = "10.20.1.7:8080"
	found := httptest.NewRecorder()
	Server{given: shop}.ServeHTTP(found, request)
	if found.Code != 400 {
		t.Fatal(found.Code)
	}
}

func TestReadyAsksTheStoresAndLiveNone(t *testing.T) {
	wrong := map[string]string{}
	server := Server{given: shop, check: func(context.Context) map[string]string { return wrong }}
	if found := asked(server, "GET", "/readyz", ""); found.Code != 200 {
		t.Fatal(found.Code)
	}
	wrong["redis"] = "away"
	if found := asked(server, "GET", "/readyz", ""); found.Code != 503 {
		t.Fatal(found.Code)
	}
	if found := asked(server, "GET", "/livez", ""); found.Code != 200 {
		t.Fatal(found.Code)
	}
}

func TestATokenIsAPresignedRequest(t *testing.T) {
	credentials := aws.Credentials{AccessKeyID: "it", SecretAccessKey: "it", SessionToken: "session"}
	token, err := Token(credentials, "cache", "systems", "us-east-1", time.Unix(0, 0))
	if err != nil || !strings.HasPrefix(token, "cache/?Action=connect&User=systems&") {
		t.Fatal(token, err)
	}
	words, _ := url.ParseQuery(strings.TrimPrefix(token, "cache/?"))
	if words.Get("X-Amz-Expires") != "900" || words.Get("X-Amz-Security-Token") != "session" || words.Get("X-Amz-Signature") == "" {
		t.Fatal(words)
	}
}

func TestALineOfTheLogIsJson(t *testing.T) {
	read, write, _ := os.Pipe()
	kept := os.Stdout
	os.Stdout = write
	say(context.Background(), "INFO", "two lines\nhere", map[string]interface{}{"order": number})
	os.Stdout = kept
	write.Close()
	var text bytes.Buffer
	text.ReadFrom(read)
	var line map[string]string
	if err := json.Unmarshal(text.Bytes(), &line); err != nil || line["order"] != number {
		t.Fatal(err, line)
	}
}
