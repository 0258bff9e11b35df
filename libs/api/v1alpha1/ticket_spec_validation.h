// The part of validation that a Ticket and an Order's template share.
#pragma once

#include "api/meta/problems.h"
#include "api/v1alpha1/ticket_spec.h"

namespace korder::api {

void ValidateTicketSpec(const TicketSpec& spec, const FieldPath& path, Problems& problems);

}  // namespace korder::api
