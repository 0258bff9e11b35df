package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"testing"
)

func parse(t *testing.T, pair Pair) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(pair.Cert)
	if block == nil {
		t.Fatalf("no PEM in %q", pair.Cert)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func newAuthority(t *testing.T) (*Authority, *x509.CertPool) {
	t.Helper()
	authority, err := NewAuthority("test-ca")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Pair()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parse(t, pair))
	return authority, pool
}

func TestServerCertificateIsValidForEveryNameOfTheAPIServer(t *testing.T) {
	authority, pool := newAuthority(t)
	pair, err := authority.Issue(ServerSubject(net.IPv4(127, 99, 0, 1)))
	if err != nil {
		t.Fatal(err)
	}
	cert := parse(t, pair)
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local", "127.0.0.1", "127.99.0.1"}
	for _, name := range names {
		options := x509.VerifyOptions{Roots: pool, DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		if _, err := cert.Verify(options); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := cert.VerifyHostname("127.98.0.1"); err == nil {
		t.Error("valid for the Service address of another instance")
	}
	if _, err := tls.X509KeyPair(pair.Cert, pair.Key); err != nil {
		t.Errorf("certificate and key do not belong together: %v", err)
	}
}

func TestClientCertificateNamesUserAndGroupAndIsNoServers(t *testing.T) {
	authority, pool := newAuthority(t)
	pair, err := authority.Issue(Subject{CommonName: "somebody", Organization: "system:masters"})
	if err != nil {
		t.Fatal(err)
	}
	cert := parse(t, pair)
	if cert.Subject.CommonName != "somebody" || cert.Subject.Organization[0] != "system:masters" {
		t.Errorf("subject %v", cert.Subject)
	}
	client := x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := cert.Verify(client); err != nil {
		t.Error(err)
	}
	server := x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if _, err := cert.Verify(server); err == nil {
		t.Error("a client's certificate may serve")
	}
}

func TestAnotherAuthorityIsNotTrusted(t *testing.T) {
	authority, _ := newAuthority(t)
	_, stranger := newAuthority(t)
	pair, err := authority.Issue(ServerSubject(net.IPv4(127, 96, 0, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(t, pair).Verify(x509.VerifyOptions{Roots: stranger}); err == nil {
		t.Error("a certificate of one authority passed for another's")
	}
}

func TestSigningKeyIsAPairWithoutCertificate(t *testing.T) {
	pair, err := SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := pem.Decode(pair.Cert)
	private, _ := pem.Decode(pair.Key)
	if public == nil || public.Type != "PUBLIC KEY" || private == nil || private.Type != "EC PRIVATE KEY" {
		t.Errorf("got %s %s", pair.Cert, pair.Key)
	}
}

func TestTokensDiffer(t *testing.T) {
	first, err := NewToken()
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewToken()
	if err != nil || first == second || len(first) != 32 {
		t.Errorf("%q, %q, %v", first, second, err)
	}
}
