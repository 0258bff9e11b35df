#include "kube/observer.h"

namespace korder::kube {

Observer& NoObserver() {
  static Observer observer;
  return observer;
}

}  // namespace korder::kube
