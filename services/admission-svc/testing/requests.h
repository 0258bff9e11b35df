// Admission requests for tests.
//
//   api::AdmissionRequest request = CreateRequest<api::Order>(ExampleJson("order.yaml"));
#pragma once

#include <string>
#include <utility>

#include "api/admission/admission_review.h"

namespace korder::admission {

template <class T>
api::AdmissionRequest CreateRequest(std::string object) {
  api::AdmissionRequest request;
  request.uid = "705ab4f5";
  request.kind = {std::string(T::kResource.group), std::string(T::kResource.version),
                  std::string(T::kResource.kind)};
  request.resource = {std::string(T::kResource.group), std::string(T::kResource.version),
                      std::string(T::kResource.plural)};
  request.ns = T::kResource.namespaced ? "default" : "";
  request.operation = api::kOperationCreate;
  request.object.text = std::move(object);
  return request;
}

template <class T>
api::AdmissionRequest UpdateRequest(std::string old, std::string now) {
  api::AdmissionRequest request = CreateRequest<T>(std::move(now));
  request.operation = api::kOperationUpdate;
  request.old_object.text = std::move(old);
  return request;
}

}  // namespace korder::admission
