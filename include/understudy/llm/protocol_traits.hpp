/// What distinguishes one protocol from the others, as data: one row for each.
///
/// Invariants
/// 1. Nothing else in the library switches over protocols. Code that depends on the protocol reads its row, or asks
///    its codec (codec.hpp) for what has to be computed.
/// 2. Every protocol has a row, and every row a value for every member: the compiler reports what is missing.
/// 3. A row is constant, and lives as long as the program.
///
/// To add a protocol: a folder in lib/llm with its codec and its row, the enumerator, its lines in
/// protocol_traits.cpp and lib/meson.build, and its tests. tests/protocols/registrations shows that none of these
/// can be forgotten.
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

/// A name and a value, of a header or of a JSON member.
struct NamedValue {
  std::string_view name;
  std::string_view value;
};

/// An endpoint beside the one for answers, whose requests are forwarded without being parsed.
struct ForwardedPath {
  std::string_view path;  ///< below the version: "/embeddings"
  bool own_model;         ///< it wants another kind of model than a chain's: the client's is sent
};

/// A member of a request that asks for what a gateway in front of several providers cannot give.
struct UnservedMember {
  enum class When : unsigned char {
    always,
    whole_answer,     ///< in a request for an answer that is not streamed
    foreign_members,  ///< where a member of the chain speaks another protocol
  };

  std::string_view name;
  std::string_view harmless;  ///< a JSON value that asks for nothing; "null" is harmless too
  When when;
  std::string_view message;  ///< for the client: what, and what to write instead
  std::string_view code;     ///< of the error
};

/// How a request says how much the model is to think.
enum class ThinkingForm : unsigned char {
  mode_and_budget,     ///< Anthropic's `thinking`, with `effort` beside it
  effort,              ///< Chat's `reasoning_effort`
  effort_and_summary,  ///< Responses' `reasoning`
};

/// What `strict` of a tool promises of its schema.
enum class StrictSchema : unsigned char { anthropic, openai };

/// What a request in this protocol may hold. The sources are in protocols.md 8.
struct RequestRules {
  std::size_t longest_tool_id;
  bool later_system_messages;  ///< a system message may come after the conversation's beginning
  bool begins_with_user;       ///< an assistant's message may not be first
  bool item_ids;               ///< items have ids, by which the server looks for their reasoning
  bool image_detail;           ///< an image says in how much detail it is to be seen
  bool media_in_tool_results;  ///< a tool's result may hold images and documents
  bool failed_tool_results;    ///< a tool's result says whether the call has failed
  bool object_arguments;       ///< a call's arguments must be a JSON object
  bool object_schemas;  ///< a tool's schema must be an object at its root, without alternatives
  StrictSchema strict;
  ThinkingForm thinking;
  bool fixed_sampling_with_thinking;  ///< with thinking no temperature but 1 and no `top_k`
  double highest_temperature;
  bool top_k;
  bool seed;
  std::size_t most_stops;  ///< stop sequences; those beyond are dropped
  bool blank_stops;        ///< a stop sequence may be white space alone
  bool max_tokens_required;
  bool output_needs_schema;  ///< "any JSON object" can be asked for by a schema alone
};

/// See the top of the file.
struct ProtocolTraits {
  Protocol protocol;
  std::string_view name;
  const Codec& codec;

  // --- where and how it is asked
  std::string_view path;                ///< of answers, below the base URL and its version
  bool base_url_without_version;        ///< "/v1" is added also to a base URL that has a path
  Authorization authorization;          ///< how the maker wants credentials
  std::span<const NamedValue> headers;  ///< sent where the configuration has none of that name
  std::string_view
      features_header;  ///< lists features that a request asks for; empty: there is none
  /// Added to a request for an answer that was to be whole, so that its stream reports usage. Empty: it does.
  NamedValue stream_usage;
  std::span<const ForwardedPath> forwarded;

  // --- how its clients are answered
  std::string_view
      client_header;  ///< by which a client is known where the path does not tell; may be empty
  std::string_view request_id_header;  ///< beside `x-request-id`; empty: none
  unsigned overloaded_status;          ///< of an error that says: try again later
  std::span<const UnservedMember> unserved;

  // --- what answers look like
  std::string_view answer_id_prefix;
  bool
      finish_is_end;  ///< one event says both that the answer is complete, and that the stream ends
  std::string_view heartbeat;  ///< as the maker sends it at any time; empty: as the codec writes it

  RequestRules rules;
};

/// The row of a protocol.
UNDERSTUDY_API const ProtocolTraits& traits_of(Protocol protocol) noexcept;

}  // namespace understudy::llm
