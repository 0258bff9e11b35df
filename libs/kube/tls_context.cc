#include "kube/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace korder::kube {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// What OpenSSL says is wrong; empties its error queue.
absl::Status Problem(std::string_view what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return InvalidArgumentError(
      absl::StrCat(std::string(what), ": ", reason == nullptr ? "cannot be used" : reason));
}

Bio Memory(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate NextCertificate(BIO* in) {
  return Certificate(PEM_read_bio_X509(in, nullptr, nullptr, nullptr));
}

absl::Status TrustOnly(SSL_CTX* context, const std::string& pem) {
  const Bio in = Memory(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (const Certificate ca = NextCertificate(in.get())) {
    if (X509_STORE_add_cert(store, ca.get()) != 1) {
      return Problem("certificate-authority");
    }
    ++count;
  }
  if (count == 0) {
    return Problem("certificate-authority: no certificate in it");
  }
  ERR_clear_error();  // The end of the text is reported as an error.
  return absl::OkStatus();
}

absl::Status ShowCertificate(SSL_CTX* context, const std::string& chain, const std::string& key) {
  const Bio in = Memory(chain);
  const Certificate leaf = NextCertificate(in.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return Problem("client-certificate");
  }
  while (const Certificate issuer = NextCertificate(in.get())) {
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) {
      return Problem("client-certificate");
    }
  }
  ERR_clear_error();
  const Bio key_in = Memory(key);
  // A password would be asked for on the terminal: never.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const PrivateKey private_key(
      PEM_read_bio_PrivateKey(key_in.get(), nullptr, no_password, nullptr));
  if (!private_key || SSL_CTX_use_PrivateKey(context, private_key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Problem("client-key");
  }
  return absl::OkStatus();
}

absl::Status VerifyServer(SSL_CTX* context, const std::string& name) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // The first fails when the name is no address; only then is it a host name.
  if (X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) != 1 &&
      X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) != 1) {
    return Problem(absl::StrCat("server name \"", name, "\""));
  }
  ERR_clear_error();
  return absl::OkStatus();
}

}  // namespace

const std::string& ServerName(const ClusterConfig& config) {
  return config.tls_server_name.empty() ? config.host : config.tls_server_name;
}

absl::StatusOr<SslContext> NewTlsContext(const ClusterConfig& config) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return Problem("TLS");
  }
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (!config.ca.empty()) {
    RETURN_IF_ERROR(TrustOnly(context.get(), config.ca));
  } else if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return Problem("the system's certificate authorities");
  }
  if (!config.certificate.empty()) {
    RETURN_IF_ERROR(ShowCertificate(context.get(), config.certificate, config.key));
  }
  if (!config.insecure_skip_tls_verify) {
    RETURN_IF_ERROR(VerifyServer(context.get(), ServerName(config)));
  }
  return context;
}

}  // namespace korder::kube
