/// How a credential is sent to a provider.
#pragma once

namespace understudy::llm {

/// The header that carries the credential.
enum class Authorization : unsigned char {
  bearer,     ///< `authorization: Bearer ...`
  x_api_key,  ///< `x-api-key: ...`, as Anthropic expects
  api_key,    ///< `api-key: ...`, as Azure expects
};

}  // namespace understudy::llm
