/// Answers of the doubles, in the forms that the protocols' documentation shows.
#pragma once

#include "testing/strict/asked.hpp"
#include "understudy/testing/strict_backend.hpp"

namespace understudy::testing::strict {

/// `request_bytes`: the size of the request's body, from which the usage is estimated.
StrictAnswer answer_to(const Asked& asked, std::size_t request_bytes,
                       const StrictAnswerOptions& options);

}  // namespace understudy::testing::strict
