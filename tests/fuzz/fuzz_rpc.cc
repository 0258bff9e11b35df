// Every RPC of every service, with requests that anybody with a connection may send (rpc_script.h):
// as the lines say, then with other fields, then with other bytes.
#include "fuzz.h"
#include "rpc_script.h"

namespace korder::fuzz {

int FuzzOne(std::string_view input) {
  const Answered plain = RunScript(input, Mangling::kNone);
  (void)RunScript(input, Mangling::kFields);
  (void)RunScript(input, Mangling::kBytes);
  return plain.empty() ? kRefused : kTaken;
}

}  // namespace korder::fuzz
