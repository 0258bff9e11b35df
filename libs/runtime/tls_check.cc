#include "runtime/tls_check.h"

#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

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

void FreeCertificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }
using Certificates = std::unique_ptr<STACK_OF(X509), Deleter<FreeCertificates>>;

// All that there are in a PEM text.
Certificates AllCertificates(const std::string& pem) {
  Certificates all(sk_X509_new_null());
  const Bio text = Memory(pem);
  while (X509* certificate = PEM_read_bio_X509(text.get(), nullptr, NoPassphrase, nullptr)) {
    sk_X509_push(all.get(), certificate);
  }
  ERR_clear_error();  // The end of the text is one to OpenSSL.
  return all;
}

// Whether who trusts `ca` accepts the first certificate of the chain, whenever that is.
bool SignedBy(X509* ca, STACK_OF(X509) * chain) {
  const std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), ca);
  X509_STORE_set_flags(store.get(), X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
  const std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), sk_X509_value(chain, 0), chain);
  return X509_verify_cert(context.get()) == 1;
}

// One CA after the other: of two with one name, as while the CA changes, OpenSSL may try only one.
bool SignedByItsCa(const TlsMaterial& material) {
  const Certificates trusted = AllCertificates(material.ca);
  const Certificates chain = AllCertificates(material.certificate);
  bool is_signed = false;
  for (int i = 0; i < sk_X509_num(trusted.get()) && !is_signed; ++i) {
    is_signed = SignedBy(sk_X509_value(trusted.get(), i), chain.get());
  }
  ERR_clear_error();
  return is_signed;
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

absl::Status CheckSuccessor(const TlsMaterial& current, const TlsMaterial& next, absl::Time now) {
  if (CertificateExpiry(current) <= now) {
    return absl::OkStatus();  // It cannot get worse.
  }
  if (CertificateExpiry(next) <= now) {
    return FailedPreconditionError("tls.crt: has ended");
  }
  if (!SignedByItsCa(next)) {
    return FailedPreconditionError("tls.crt: was not signed by ca.crt");
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
