// The part of validation that a Ticket and an Order's template share.
#pragma once

#include <optional>
#include <string_view>

#include "api/meta/problems.h"
#include "api/v1alpha1/duration_field.h"
#include "api/v1alpha1/ticket_spec.h"

namespace korder::api {

void ValidateTicketSpec(const TicketSpec& spec, const FieldPath& path, Problems& problems);

// A duration that must be longer than zero when it is given.
void ValidatePositive(const std::optional<DurationField>& duration, const FieldPath& path,
                      Problems& problems);

inline constexpr std::string_view kMalformedDuration =
    "must be a duration such as 24h, 90m or 1h30m";

}  // namespace korder::api
