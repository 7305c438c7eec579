// Any bytes as a client's request, fitted to a back end that its first byte chooses: what is sent is JSON, and fitting it
// again gives the same. The same bytes as a refusal, and as a request that is mended for it.
#include "understudy/llm/fit.hpp"

#include <cstdint>
#include <cstdlib>

#include "text/json_valid.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/refused_part.hpp"

using namespace understudy;
using namespace understudy::llm;

namespace {

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto& back_ends = Catalog::built_in().back_ends();
  const auto& back_end = back_ends[data[0] % back_ends.size()];
  for (const auto protocol : protocols) {
    const auto request = codec_for(protocol).read_request(body);
    if (!request) {
      continue;
    }
    FitTarget target(back_end.protocol, back_end.id,
                     data[0] % 2 == 0 ? "claude-opus-5-5" : "gpt-5.6");
    target.back_end = &back_end;
    const auto fitted = fit(*request, target);
    check(json::is_valid(fitted.body) || !json::is_valid(body));
    check(fit(*request, target).body == fitted.body);
    if (const auto part = refused_part(400, body)) {
      if (const auto mended = without_part(fitted.body, part->mend())) {
        check(json::is_valid(*mended) || !json::is_valid(body));
      }
    }
  }
  refused_part(422, body);
  return 0;
}
