/// Tools whose arguments are the program's own types (llm/described.hpp).
///
/// Invariants
/// 1. The function gets arguments that are complete and of their types. Others are an error that the model gets, with the
///    place and what is expected, so that it can correct itself.
/// 2. The model gets a std::string as it is, and a described struct as JSON.
///
///     // struct LevelQuery { std::string tank; };  BOOST_DESCRIBE_STRUCT(LevelQuery, (), (tank))
///     Toolbox tools;
///     add_tool<LevelQuery>(tools, "level", "The level of a tank in percent",
///                          [](LevelQuery query) -> asio::awaitable<std::string> {
///                            co_return query.tank == "north" ? "93" : "12";
///                          });
#pragma once

#include <boost/asio/awaitable.hpp>
#include <concepts>
#include <string>
#include <utility>

#include "understudy/client/tool_loop.hpp"
#include "understudy/llm/described.hpp"

namespace understudy {

namespace detail {

template <class Arguments, class F>
asio::awaitable<std::string> run_typed(F& f, std::string text) {
  auto arguments = llm::from_json<Arguments>(text).value();  // what it throws, the model gets
  auto result = co_await f(std::move(arguments));
  if constexpr (std::convertible_to<decltype(result), std::string>) {
    co_return result;
  } else {
    co_return llm::to_json(result);
  }
}

}  // namespace detail

/// Adds a tool that runs `f(Arguments)`, which returns an asio::awaitable of a std::string or of a described struct.
/// `notes` describe members of the arguments to the model. Throws std::invalid_argument as `Toolbox::add` and
/// `llm::schema_of` do. Lifetimes: `f` is kept by the toolbox, and must be copyable.
template <llm::detail::DescribedStruct Arguments, class F>
Toolbox& add_tool(Toolbox& tools, std::string name, std::string description, F f,
                  llm::MemberNotes notes = {}) {
  llm::Tool tool(std::move(name), std::move(description), llm::schema_of<Arguments>(notes));
  auto run = [f = std::move(f)](std::string arguments) mutable {
    return detail::run_typed<Arguments>(f, std::move(arguments));
  };
  return tools.add(std::move(tool), std::move(run));
}

}  // namespace understudy
