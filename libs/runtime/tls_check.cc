#include "runtime/tls_check.h"

#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <openssl/x509.h>

namespace korder::runtime {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// An encrypted key must not make OpenSSL ask for a pass phrase on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

Bio Memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate FirstCertificate(const std::string& pem) {
  return Certificate(PEM_read_bio_X509(Memory(pem).get(), nullptr, NoPassphrase, nullptr));
}

absl::Status Refuse(std::string_view why) {
  // What OpenSSL queued on this thread would show up as the reason of somebody else's failure.
  ERR_clear_error();
  return InvalidArgumentError(why);
}

}  // namespace

absl::Status CheckTls(const TlsMaterial& material) {
  const Certificate certificate = FirstCertificate(material.certificate);
  if (!certificate) {
    return Refuse("tls.crt: is not a PEM certificate");
  }
  const Key key(
      PEM_read_bio_PrivateKey(Memory(material.key).get(), nullptr, NoPassphrase, nullptr));
  if (!key) {
    return Refuse("tls.key: is not an unencrypted PEM private key");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Refuse("tls.key: does not belong to tls.crt");
  }
  if (!material.ca.empty() && !FirstCertificate(material.ca)) {
    return Refuse("ca.crt: is not a PEM certificate");
  }
  return absl::OkStatus();
}

absl::Time CertificateExpiry(const TlsMaterial& material) {
  const Certificate certificate = FirstCertificate(material.certificate);
  std::tm fields = {};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &fields) != 1) {
    return absl::InfinitePast();
  }
  return absl::FromTM(fields, absl::UTCTimeZone());
}

}  // namespace korder::runtime
