package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Identity has the credentials of the pod, from the agent of EKS Pod Identity on its node. The SDK that Debian 12 has is
// older than Pod Identity and refuses the agent's address; with a newer one config.LoadDefaultConfig does all of this.
type Identity struct {
	sync.Mutex
	credentials aws.Credentials
}

// Get renews the credentials five minutes before they expire.
func (identity *Identity) Get() (aws.Credentials, error) {
	identity.Lock()
	defer identity.Unlock()
	if time.Until(identity.credentials.Expires) > 5*time.Minute {
		return identity.credentials, nil
	}
	token, err := os.ReadFile(os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
	if err != nil {
		return aws.Credentials{}, err
	}
	request, err := http.NewRequest("GET", os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"), nil)
	if err != nil {
		return aws.Credentials{}, err
	}
	request.Header.Set("Authorization", string(token))
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return aws.Credentials{}, fmt.Errorf("the agent of Pod Identity answers %s", answer.Status)
	}
	var found struct {
		AccessKeyId, SecretAccessKey, Token string
		Expiration                          time.Time
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return aws.Credentials{}, err
	}
	identity.credentials = aws.Credentials{
		AccessKeyID:     found.AccessKeyId,
		SecretAccessKey: found.SecretAccessKey,
		SessionToken:    found.Token,
		CanExpire:       true,
		Expires:         found.Expiration,
	}
	return identity.credentials, nil
}
