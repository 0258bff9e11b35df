// The API server notes in every object who has set which of its fields: metadata.managedFields,
// half of what a Ticket or a pod is as text. Nobody here asks for it, so it is cut before the text
// is read.
//
//   RETURN_IF_ERROR(json::Parse(api::WithoutManagedFields(body), pod));
#pragma once

#include <string>
#include <string_view>

namespace korder::api {

// The text with empty arrays for those of all "managedFields" in it; for an object, a list of them,
// a watch event. Of a text that is no JSON something is left that is none either, unless only the
// arrays were bad.
std::string WithoutManagedFields(std::string_view text);

}  // namespace korder::api
