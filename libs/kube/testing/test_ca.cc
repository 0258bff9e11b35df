#include "kube/testing/test_ca.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <random>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace korder::kube {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Extension = std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)>;

constexpr long kDay = 86400;

Key NewKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

std::string Take(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

std::string Pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(bio.get(), certificate);
  return Take(bio.get());
}

std::string Pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Take(bio.get());
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()),
                            X509_EXTENSION_free);
  X509_add_ext(certificate, extension.get(), -1);
}

Certificate Unsigned(const std::string& name, EVP_PKEY* key) {
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), std::random_device{}());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kDay);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

struct TestCa::Impl {
  Key key = NewKey();
  Certificate certificate = Unsigned("test authority", key.get());
  std::string pem;
};

TestCa::TestCa() : impl_(std::make_unique<Impl>()) {
  X509* own = impl_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  Extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  Extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  Extend(own, own, NID_subject_key_identifier, "hash");
  X509_sign(own, impl_->key.get(), EVP_sha256());
  impl_->pem = Pem(own);
}

TestCa::~TestCa() = default;

const std::string& TestCa::pem() const { return impl_->pem; }

TestCa::Pair TestCa::Issue(const std::string& common_name, const std::string& names) const {
  const Key key = NewKey();
  const Certificate certificate = Unsigned(common_name, key.get());
  X509* ca = impl_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(ca));
  Extend(certificate.get(), ca, NID_subject_alt_name, names);
  Extend(certificate.get(), ca, NID_ext_key_usage, "serverAuth,clientAuth");
  // All test authorities have the same name: this says which one it was.
  Extend(certificate.get(), ca, NID_authority_key_identifier, "keyid:always");
  X509_sign(certificate.get(), impl_->key.get(), EVP_sha256());
  return {Pem(certificate.get()), Pem(key.get())};
}

}  // namespace korder::kube
