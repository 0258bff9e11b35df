// The decisions that korder makes again and again, each in a world of a given size: for what they
// cost, in time (decision_bench) and in instructions (cost_driver).
//
//   LedgerCase ledger({.quotas = 50});
//   ledger.Decide();                 // one reservation, granted; given back
//   ClaimCase claims({.nodes = 1000, .waiting = 10});
//   claims.Decide();                 // who of ten gets which of 15,000 tickets
//   AdmissionCase admission;
//   admission.Decide();              // from the review's bytes to the answer's
//
// They are the real deciders without anything around them. Every Decide() leaves the world as it
// was, and throws when the decision is not the one expected.
#pragma once

#include <string>

#include "quota-svc/ledger.h"
#include "ticket-svc/claim_decide.h"

namespace korder::bench {

class LedgerCase {
 public:
  struct Size {
    int quotas = 10;  // all of which count the reservation
  };
  explicit LedgerCase(Size size);
  void Decide();

 private:
  quota::Ledger ledger_;
  quota::Reservation asked_;
};

class ClaimCase {
 public:
  struct Size {
    int nodes = 100;
    int tickets_per_node = 15;
    int waiting = 1;  // pods
  };
  explicit ClaimCase(Size size);
  void Decide() const;

 private:
  const size_t most_;  // that one pass promises
  ticket::ClaimsObserved observed_;
};

class AdmissionCase {
 public:
  AdmissionCase();
  void Decide() const;

 private:
  std::string review_;
};

}  // namespace korder::bench
