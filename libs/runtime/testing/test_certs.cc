#include "runtime/testing/test_certs.h"

#include <cstdint>
#include <cstdlib>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <random>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace korder::runtime {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key NewKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

template <class Write>
std::string ToPem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string ToPem(X509* certificate) {
  return ToPem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
}

std::string ToPem(EVP_PKEY* key) {
  return ToPem(
      [&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate Template(const std::string& name, EVP_PKEY* key) {
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), std::random_device{}());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

struct TestCa::Impl {
  Key key = NewKey();
  Certificate certificate = Template("korder test CA", key.get());
};

TestCa::TestCa() : impl_(std::make_unique<Impl>()) {
  X509* certificate = impl_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  Extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  Extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(certificate, impl_->key.get(), EVP_sha256());
}

TestCa::~TestCa() = default;

TlsMaterial TestCa::Issue(const std::string& name, absl::Duration life) const {
  const Key key = NewKey();
  const Certificate certificate = Template(name, key.get());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), absl::ToInt64Seconds(life));
  X509* ca = impl_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(ca));
  Extend(certificate.get(), ca, NID_subject_alt_name,
         "DNS:" + name + ",DNS:localhost,IP:127.0.0.1");
  Extend(certificate.get(), ca, NID_ext_key_usage, "serverAuth,clientAuth");
  X509_sign(certificate.get(), impl_->key.get(), EVP_sha256());
  return {ToPem(ca), ToPem(certificate.get()), ToPem(key.get())};
}

}  // namespace korder::runtime
