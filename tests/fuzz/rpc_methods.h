// Every method of every service, to be called by its name without a network: the handlers that
// ship, with what they work on behind them.
//
//   RpcMethods methods;
//   const RpcMethod& method = methods.all().at("/korder.quota.v1.QuotaLedger/Reserve");
//   auto request = method.Request(), response = method.Response();
//   const grpc::Status status = method.call(*request, *response);
//
// One that is not in the list, but in a .proto, ends the program.
#pragma once

#include <functional>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <map>
#include <memory>
#include <string>

#include "checked_ledger.h"

namespace korder::fuzz {

struct RpcMethod {
  using Message = google::protobuf::Message;
  const Message* request = nullptr;  // an empty one
  const Message* response = nullptr;
  std::function<grpc::Status(const Message& request, Message& response)> call;

  std::unique_ptr<Message> Request() const { return std::unique_ptr<Message>(request->New()); }
  std::unique_ptr<Message> Response() const { return std::unique_ptr<Message>(response->New()); }
};

class RpcMethods {
 public:
  // The ledger is as new; what the services that only read work on is always the same.
  RpcMethods();

  // By full name.
  const std::map<std::string, RpcMethod>& all() const { return all_; }
  CheckedLedger& ledger() { return ledger_; }

 private:
  void AddLedger();
  void AddReaders();

  CheckedLedger ledger_;
  std::map<std::string, RpcMethod> all_;
};

}  // namespace korder::fuzz
