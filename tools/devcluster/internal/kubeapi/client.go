// Package kubeapi is the little of the Kubernetes API that devcluster itself needs: readiness,
// and simulated nodes. It speaks JSON and a bearer token.
package kubeapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Client talks to one API server. It is safe for concurrent use.
type Client struct {
	server string
	token  string
	http   *http.Client
}

// StatusError is an answer that is not a success.
type StatusError struct {
	Code    int
	Message string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("API server answered %d: %s", e.Code, e.Message)
}

// NewClient returns a client that trusts the authority and shows the token.
func NewClient(server string, authority []byte, token string) (*Client, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("no certificate in the cluster's authority file")
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 16,
	}
	return &Client{server: server, token: token, http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}, nil
}

// Ready returns nil when the server says that all its start-up work is done.
func (c *Client) Ready(ctx context.Context) error {
	return c.Do(ctx, http.MethodGet, "/readyz", nil, nil)
}

// Version returns the server's version without the leading v.
func (c *Client) Version(ctx context.Context) (string, error) {
	var version struct{ GitVersion string }
	err := c.Do(ctx, http.MethodGet, "/version", nil, &version)
	return strings.TrimPrefix(version.GitVersion, "v"), err
}

// Do sends one request; body and answer are JSON and may be nil.
func (c *Client) Do(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "devcluster")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return &StatusError{Code: response.StatusCode, Message: message(raw)}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}

// message takes the explanation out of a Status object. Health addresses answer plain text instead:
// a line per check, of which only the failed ones matter.
func message(raw []byte) string {
	var status struct{ Message string }
	if json.Unmarshal(raw, &status) == nil && status.Message != "" {
		return status.Message
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if !strings.HasPrefix(line, "[+]") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
