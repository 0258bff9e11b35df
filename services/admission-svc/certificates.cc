#include "admission-svc/certificates.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <utility>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "api/meta/dns_name.h"
#include "base/status_macros.h"

namespace korder::admission {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

// OpenSSL queues its reasons per thread; what is left there would be taken for the reason of the
// next failure, perhaps of somebody else.
absl::Status Failure(std::string_view what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return InternalError(absl::StrCat(std::string(what), reason == nullptr ? "" : ": ",
                                    reason == nullptr ? "" : reason));
}

absl::Status Invalid(std::string_view what) {
  ERR_clear_error();
  return InvalidArgumentError(what);
}

// An encrypted key must not make OpenSSL ask for a pass phrase on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

Bio Memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate ReadCertificate(BIO* bio) {
  return Certificate(PEM_read_bio_X509(bio, nullptr, NoPassphrase, nullptr));
}

Key ReadKey(const std::string& pem) {
  return Key(PEM_read_bio_PrivateKey(Memory(pem).get(), nullptr, NoPassphrase, nullptr));
}

template <class Write>
absl::StatusOr<std::string> ToPem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || write(bio.get()) != 1) {
    return Failure("write PEM");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<KeyPair> ToKeyPair(X509* certificate, EVP_PKEY* key) {
  KeyPair pair;
  ASSIGN_OR_RETURN(pair.certificate,
                   ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); }));
  ASSIGN_OR_RETURN(pair.key, ToPem([&](BIO* bio) {
                     return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr,
                                                          nullptr);
                   }));
  return pair;
}

// 159 random bits: unique for ever, positive, at most 20 octets (RFC 5280).
bool SetSerial(X509* certificate) {
  const Number serial(BN_new());
  return serial && BN_rand(serial.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetTimes(X509* certificate, absl::Time not_before, absl::Time not_after) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(not_before)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(not_after)) != nullptr;
}

bool SetCommonName(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                    0) == 1;
}

// An extension in the notation of OpenSSL's configuration files.
bool Extend(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

struct Subject {
  std::string common_name;
  absl::Time not_before;
  absl::Time not_after;
};

// A certificate with everything but issuer, extensions and signature.
absl::StatusOr<Certificate> Draft(const Subject& subject, EVP_PKEY* key) {
  Certificate certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !SetSerial(certificate.get()) ||
      !SetTimes(certificate.get(), subject.not_before, subject.not_after) ||
      !SetCommonName(certificate.get(), subject.common_name) ||
      X509_set_pubkey(certificate.get(), key) != 1) {
    return Failure("draft certificate");
  }
  return certificate;
}

absl::StatusOr<Key> NewKey() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) {
    return Failure("generate key");
  }
  return key;
}

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm fields = {};
  return ASN1_TIME_to_tm(time, &fields) == 1 ? absl::FromTM(fields, absl::UTCTimeZone())
                                             : absl::InfinitePast();
}

std::string CommonNameOf(X509* certificate) {
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  return name;
}

std::string ToString(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

// "127.0.0.1"; other address families as "?", which no name of ours equals.
std::string AddressText(const std::string& octets) {
  if (octets.size() != 4) {
    return "?";
  }
  std::string text;
  for (const char octet : octets) {
    absl::StrAppend(&text, text.empty() ? "" : ".",
                    static_cast<int>(static_cast<unsigned char>(octet)));
  }
  return text;
}

void ReadNames(X509* certificate, CertificateInfo& info) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      info.dns_names.push_back(ToString(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      info.ip_addresses.push_back(AddressText(ToString(name->d.iPAddress)));
    }
  }
}

absl::Status VerifyAs(int purpose, X509* certificate, X509_STORE* store, absl::Time now) {
  const StoreContext context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store, certificate, nullptr) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), purpose) != 1) {
    return Failure("verify certificate");
  }
  X509_STORE_CTX_set_time(context.get(), 0, absl::ToTimeT(now));
  if (X509_verify_cert(context.get()) == 1) {
    return absl::OkStatus();
  }
  ERR_clear_error();
  return FailedPreconditionError(
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

}  // namespace

absl::StatusOr<KeyPair> MintCa(absl::Time now, absl::Duration life) {
  ASSIGN_OR_RETURN(const Key key, NewKey());
  ASSIGN_OR_RETURN(const Certificate certificate,
                   Draft({"korder CA", now - kClockSkew, now + life}, key.get()));
  X509* ca = certificate.get();
  // The key identifiers tell an old CA from its successor, which has the same name.
  if (X509_set_issuer_name(ca, X509_get_subject_name(ca)) != 1 ||
      !Extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !Extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !Extend(ca, ca, NID_subject_key_identifier, "hash") ||
      !Extend(ca, ca, NID_authority_key_identifier, "keyid:always") ||
      X509_sign(ca, key.get(), EVP_sha256()) == 0) {
    return Failure("mint CA");
  }
  return ToKeyPair(ca, key.get());
}

absl::StatusOr<KeyPair> MintLeaf(const KeyPair& ca, const std::vector<std::string>& names,
                                 absl::Time now, absl::Duration life) {
  const Certificate issuer = ReadCertificate(Memory(ca.certificate).get());
  const Key issuer_key = ReadKey(ca.key);
  if (!issuer || !issuer_key || X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    return Invalid("the CA's certificate and key cannot be used");
  }
  std::string alternatives;
  for (const std::string& name : names) {
    if (const std::string problem = api::DnsSubdomainProblem(name); !problem.empty()) {
      return Invalid(absl::StrCat("name ", name, ": ", problem));
    }
    absl::StrAppend(&alternatives, "DNS:", name, ",");
  }
  alternatives += "IP:127.0.0.1";
  ASSIGN_OR_RETURN(const Key key, NewKey());
  const absl::Time not_after = std::min(now + life, ToTime(X509_get0_notAfter(issuer.get())));
  ASSIGN_OR_RETURN(const Certificate certificate,
                   Draft({names.front(), now - kClockSkew, not_after}, key.get()));
  X509* leaf = certificate.get();
  if (X509_set_issuer_name(leaf, X509_get_subject_name(issuer.get())) != 1 ||
      !Extend(leaf, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !Extend(leaf, issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !Extend(leaf, issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      !Extend(leaf, issuer.get(), NID_subject_key_identifier, "hash") ||
      !Extend(leaf, issuer.get(), NID_authority_key_identifier, "keyid:always") ||
      !Extend(leaf, issuer.get(), NID_subject_alt_name, alternatives.c_str()) ||
      X509_sign(leaf, issuer_key.get(), EVP_sha256()) == 0) {
    return Failure("mint certificate");
  }
  return ToKeyPair(leaf, key.get());
}

absl::StatusOr<CertificateInfo> Inspect(const std::string& pem) {
  const Certificate certificate = ReadCertificate(Memory(pem).get());
  if (!certificate) {
    return Invalid("is not a PEM certificate");
  }
  CertificateInfo info;
  info.common_name = CommonNameOf(certificate.get());
  info.not_before = ToTime(X509_get0_notBefore(certificate.get()));
  info.not_after = ToTime(X509_get0_notAfter(certificate.get()));
  info.is_ca = X509_check_ca(certificate.get()) == 1;
  ReadNames(certificate.get(), info);
  return info;
}

absl::Status CheckIssued(const std::string& certificate, const std::string& ca, absl::Time now) {
  const Certificate leaf = ReadCertificate(Memory(certificate).get());
  const Store store(X509_STORE_new());
  if (!leaf || !store) {
    return Invalid("is not a PEM certificate");
  }
  const Bio bundle = Memory(ca);
  while (const Certificate trusted = ReadCertificate(bundle.get())) {
    X509_STORE_add_cert(store.get(), trusted.get());
  }
  ERR_clear_error();  // The end of the bundle is an error to OpenSSL.
  RETURN_IF_ERROR(VerifyAs(X509_PURPOSE_SSL_SERVER, leaf.get(), store.get(), now));
  return VerifyAs(X509_PURPOSE_SSL_CLIENT, leaf.get(), store.get(), now);
}

bool NeedsRenewal(const CertificateInfo& certificate, absl::Time now) {
  const absl::Duration life = certificate.not_after - certificate.not_before;
  return now >= certificate.not_before + life * 2 / 3;
}

}  // namespace korder::admission
