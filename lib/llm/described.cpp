#include "understudy/llm/described.hpp"

#include <boost/throw_exception.hpp>
#include <cstdlib>
#include <stdexcept>

namespace understudy::llm {

std::string to_string(const JsonMismatch& mismatch) {
  return mismatch.place.empty() ? mismatch.message : mismatch.place + ": " + mismatch.message;
}

void throw_exception_from_error(const JsonMismatch& mismatch, const boost::source_location& site) {
  boost::throw_exception(std::invalid_argument(to_string(mismatch)), site);
}

namespace detail {

void throw_unknown_note(std::string_view name) {
  throw std::invalid_argument("the note is for `" + std::string(name) +
                              "`, which the described type does not have");
}

bool DescribedReader::fails(std::string message) {
  message_ = std::move(message);
  return false;
}

bool DescribedReader::expects(JsonView::Kind wanted, JsonView found) {
  return fails(std::string(to_string(wanted)) + " is expected, and " +
               std::string(to_string(found.kind())) + " was found");
}

bool DescribedReader::read_bool(JsonView json, bool& value) {
  value = json.text() == "true";
  return has_kind(JsonView::Kind::boolean, json);
}

bool DescribedReader::read_string(JsonView json, std::string& value) {
  value = json.string();
  return has_kind(JsonView::Kind::string, json);
}

bool DescribedReader::read_double(JsonView json, double& value) {
  if (!has_kind(JsonView::Kind::number, json)) {
    return false;
  }
  const auto token = json.text();
  // A number beyond the range of double is infinite, or zero.
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error == std::errc::result_out_of_range) {
    value = std::strtod(std::string(token).c_str(), nullptr);
  }
  return true;
}

bool DescribedReader::whole_number(JsonView json, std::string_view& digits) {
  if (!has_kind(JsonView::Kind::number, json)) {
    return false;
  }
  digits = json.text();
  if (const auto point = digits.find('.');
      point != std::string_view::npos &&
      digits.find_first_not_of('0', point + 1) == std::string_view::npos) {
    digits = digits.substr(0, point);
  }
  return true;
}

}  // namespace detail
}  // namespace understudy::llm
