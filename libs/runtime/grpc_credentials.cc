#include "runtime/grpc_credentials.h"

#include <grpc/grpc.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "runtime/user_access.h"

namespace korder::runtime {
namespace {

std::string FirstProperty(const grpc_auth_context* context, const char* name) {
  grpc_auth_property_iterator it = grpc_auth_context_find_properties_by_name(context, name);
  const grpc_auth_property* property = grpc_auth_property_iterator_next(&it);
  return property == nullptr ? "" : std::string(property->value, property->value_length);
}

std::string PeerName(const grpc_auth_context* context) {
  std::string name = FirstProperty(context, GRPC_PEER_DNS_PROPERTY_NAME);
  return name.empty() ? FirstProperty(context, GRPC_X509_CN_PROPERTY_NAME) : name;
}

std::string_view ValueOf(const grpc_metadata* metadata, size_t count, const char* key) {
  for (size_t i = 0; i < count; ++i) {
    if (grpc_slice_str_cmp(metadata[i].key, key) == 0) {
      const grpc_slice& value = metadata[i].value;
      return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(value)), GRPC_SLICE_LENGTH(value)};
    }
  }
  return {};
}

// "/package.Service/Method": HTTP/2's :path, which gRPC hands to metadata processors.
std::string_view MethodOf(const grpc_metadata* metadata, size_t count) {
  return ValueOf(metadata, count, ":path");
}

std::string BearerToken(const grpc_metadata* metadata, size_t count) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view value = ValueOf(metadata, count, "authorization");
  return std::string(value.starts_with(kScheme) ? value.substr(kScheme.size()) : "");
}

bool HasTwo(const grpc_metadata* metadata, size_t count, const char* key) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    found += grpc_slice_str_cmp(metadata[i].key, key) == 0 ? size_t{1} : size_t{0};
  }
  return found > 1;
}

void Answer(grpc_process_auth_metadata_done_cb done, void* done_data, const absl::Status& status) {
  const std::string why(Message(status));
  done(done_data, nullptr, 0, nullptr, 0, static_cast<grpc_status_code>(status.code()),
       status.ok() ? nullptr : why.c_str());
}

}  // namespace

struct MutualTlsCredentials::State {
  State(TlsMaterial t, CallCheck c, UserCheck u)
      : check(std::move(c)), users(std::move(u)), tls(std::move(t)) {}

  // gRPC asks before every handshake; it copies what it gets.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    State& state = *static_cast<State*>(self);
    const MutexLock lock(state.mu);
    if (!state.changed) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const grpc_ssl_pem_key_cert_pair pair = {state.tls.key.c_str(), state.tls.certificate.c_str()};
    *config = grpc_ssl_server_certificate_config_create(state.tls.ca.c_str(), &pair, 1);
    state.changed = false;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  static void Process(void* self, grpc_auth_context* context, const grpc_metadata* metadata,
                      size_t count, grpc_process_auth_metadata_done_cb done, void* done_data) {
    const State& state = **static_cast<std::shared_ptr<State>*>(self);
    const std::string_view method = MethodOf(metadata, count);
    const std::string peer = PeerName(context);
    if (peer.empty() && state.users) {
      // Of two, one would be checked and the other one read.
      if (HasTwo(metadata, count, kNamespaceMetadata)) {
        Answer(done, done_data,
               InvalidArgumentError(absl::StrCat(kNamespaceMetadata, ": must be given once")));
        return;
      }
      state.users(method, BearerToken(metadata, count),
                  std::string(ValueOf(metadata, count, kNamespaceMetadata)),
                  [done, done_data](const absl::Status& may) { Answer(done, done_data, may); });
      return;
    }
    Answer(done, done_data,
           state.check(method, peer)
               ? absl::OkStatus()
               : PermissionDeniedError(absl::StrCat(peer, " may not call ", std::string(method))));
  }

  static void Release(void* self) { delete static_cast<std::shared_ptr<State>*>(self); }

  const CallCheck check;
  const UserCheck users;
  Mutex mu;
  TlsMaterial tls ABSL_GUARDED_BY(mu);
  bool changed ABSL_GUARDED_BY(mu) = true;
};

MutualTlsCredentials::MutualTlsCredentials(TlsMaterial tls, CallCheck check, UserCheck users)
    : state_(std::make_shared<State>(std::move(tls), std::move(check), std::move(users))) {
  // gRPC 1.51 has no public setting for the lowest TLS version: it offers 1.2 and 1.3, both with
  // forward secrecy. korder's own clients always agree on 1.3, which detects a forced downgrade.
  credentials_ = grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          state_->users ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                        : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
          &State::Fetch, state_.get()));
  // The processor's reference keeps the state for as long as gRPC keeps the credentials.
  grpc_server_credentials_set_auth_metadata_processor(
      credentials_, {&State::Process, &State::Release, new std::shared_ptr<State>(state_)});
}

MutualTlsCredentials::~MutualTlsCredentials() { grpc_server_credentials_release(credentials_); }

void MutualTlsCredentials::SetTls(TlsMaterial tls) {
  const MutexLock lock(state_->mu);
  state_->tls = std::move(tls);
  state_->changed = true;
}

void MutualTlsCredentials::SetAuthMetadataProcessor(
    const std::shared_ptr<grpc::AuthMetadataProcessor>&) {
  // Never called by gRPC itself; the check of the constructor must not be replaced.
  log::Error("the call check of a korder server cannot be replaced");
}

int MutualTlsCredentials::AddPortToServer(const std::string& address, grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

}  // namespace korder::runtime
