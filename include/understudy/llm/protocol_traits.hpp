/// What distinguishes one protocol from the others, as data: one row for each.
///
/// Invariants
/// 1. Nothing else in the library switches over protocols. Code that depends on the protocol reads its row, or calls
///    its codec (codec.hpp) for computed values.
/// 2. Every protocol has a row, and every row has a value for every member: the compiler reports missing values.
/// 3. A row is constant, and lives as long as the program.
///
/// To add a protocol, add a folder in lib/llm with its codec and its row, the enumerator, its lines in
/// protocol_traits.cpp and lib/meson.build, and its tests. tests/protocols/registrations verifies that none of these
/// is missing.
///
///     for (const Protocol protocol : protocols) {
///       log(to_string(protocol), traits_of(protocol).path);
///     }
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/llm/authorization.hpp"
#include "understudy/llm/protocol.hpp"

namespace understudy::llm {

class Codec;

/// The name and value of a header or of a JSON member.
struct NamedValue {
  std::string_view name;
  std::string_view value;
};

/// A member of a request that asks for something that a gateway in front of several providers cannot provide.
struct UnservedMember {
  /// When the request is refused for it.
  enum class When : unsigned char {
    always,
    only_foreign_members,  ///< if every member of the chain speaks another protocol
    foreign_members,       ///< if any member of the chain speaks another protocol
  };

  std::string_view name;
  std::string_view harmless;  ///< a JSON value that has no effect; "null" is harmless too
  When when;
  std::string_view message;  ///< for the client: what is not supported, and what to write instead
  std::string_view code;     ///< the code of the error
};

/// How a request specifies how much the model should think.
enum class ThinkingForm : unsigned char {
  mode_and_budget,     ///< Anthropic's `thinking`, with `effort` beside it
  effort,              ///< Chat's `reasoning_effort`
  effort_and_summary,  ///< Responses' `reasoning`
};

/// The rules that a tool's schema must follow if the tool is `strict`.
enum class StrictSchema : unsigned char { anthropic, openai };

/// What a request in a protocol may contain. The sources are in protocols.md 8.
struct RequestRules {
  std::size_t longest_tool_id;
  std::size_t longest_tool_name;
  bool later_system_messages;  ///< a system message may follow the beginning of the conversation
  bool begins_with_user;       ///< an assistant message may not be first
  bool item_ids;               ///< items have ids, by which the server finds their reasoning
  bool image_detail;           ///< an image may specify its level of detail
  bool media_in_tool_results;  ///< a tool result may contain images and documents
  bool failed_tool_results;    ///< a tool result states whether the call failed
  bool object_arguments;       ///< the arguments of a tool call must be a JSON object
  bool object_schemas;  ///< the root of a tool's schema must be an object without alternatives
  StrictSchema strict;
  ThinkingForm thinking;
  bool fixed_sampling_with_thinking;  ///< with thinking, `temperature` must be 1 and `top_k` absent
  double highest_temperature;
  bool top_k;
  bool seed;
  std::size_t most_stops;  ///< the maximum number of stop sequences; the others are dropped
  bool cache_marks;        ///< the client says up to where the prompt is cached (`cache_control`)
  bool blank_stops;        ///< a stop sequence may consist of white space
  bool max_tokens_required;
  bool output_needs_schema;  ///< "any JSON object" can only be requested by a schema
};

/// See the top of the file.
struct ProtocolTraits {
  Protocol protocol;
  std::string_view name;
  const Codec& codec;

  // --- how requests are sent
  std::string_view path;          ///< the path for answers, below the base URL and its version
  bool base_url_without_version;  ///< "/v1" is added also to a base URL that has a path
  Authorization authorization;    ///< how the owner of the protocol expects credentials
  std::span<const NamedValue> headers;  ///< sent unless the configuration has a header of that name
  /// The header that lists the features that a request enables. Empty: the protocol has none.
  std::string_view features_header;
  /// Added to a request that is streamed although the caller asked for a whole answer, so that the stream reports
  /// usage. Empty: streams always do.
  NamedValue stream_usage;

  // --- how clients are answered
  /// Identifies a client of this protocol by a header of its request, if the path does not. May be empty.
  std::string_view client_header;
  std::string_view request_id_header;  ///< in addition to `x-request-id`; empty: none
  /// The words by which clients recognize that the prompt does not fit, and shorten it. Empty: they go by the code.
  std::string_view overflow_words;
  unsigned overloaded_status;  ///< the status of an error that means: try again later
  std::span<const UnservedMember> unserved;

  // --- the form of answers
  std::string_view answer_id_prefix;
  /// A single event means both that the answer is complete and that the stream ends.
  bool finish_is_end;
  std::string_view heartbeat;  ///< as the protocol's owner sends it; empty: the codec's

  RequestRules rules;
};

/// Returns the row of a protocol.
UNDERSTUDY_API const ProtocolTraits& traits_of(Protocol protocol) noexcept;

}  // namespace understudy::llm
