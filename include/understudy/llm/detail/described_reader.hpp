/// Reads a described value from JSON (llm/described.hpp).
#pragma once

#include <boost/mp11/algorithm.hpp>
#include <charconv>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/llm/detail/described_types.hpp"
#include "understudy/llm/json_mismatch.hpp"
#include "understudy/text/json_view.hpp"

namespace understudy::llm::detail {

/// Reads values, and notes the first mismatch with its place. Each `read` returns whether it succeeded.
class UNDERSTUDY_API DescribedReader {
 public:
  template <class T>
  bool read(JsonView json, T& value);

  JsonMismatch mismatch() && { return {std::move(place_), std::move(message_)}; }

 private:
  bool read_bool(JsonView json, bool& value);
  bool read_string(JsonView json, std::string& value);
  bool read_double(JsonView json, double& value);
  bool fails(std::string message);
  bool expects(JsonView::Kind wanted, JsonView found);
  bool has_kind(JsonView::Kind wanted, JsonView found) {
    return found.kind() == wanted || expects(wanted, found);
  }
  /// The digits of a whole number, without a fraction of zeros: "12" of "12.0".
  bool whole_number(JsonView json, std::string_view& digits);

  /// While a part of a value is read, the place ends with the part's name. After a mismatch it stays.
  template <class Read>
  bool within(const std::string& part, Read read_part) {
    const auto before = place_.size();
    place_ += place_.empty() && part.front() == '.' ? part.substr(1) : part;
    const bool well = read_part();
    if (well) {
      place_.resize(before);
    }
    return well;
  }

  template <class T>
  bool read_integer(JsonView json, T& value) {
    std::string_view digits;
    if (!whole_number(json, digits)) {
      return false;
    }
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc() && end == digits.data() + digits.size()) {
      return true;
    }
    return fails("a whole number from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                 std::to_string(std::numeric_limits<T>::max()) + " is expected, and " +
                 std::string(json.text().substr(0, 40)) + " was found");
  }

  template <class T>
  bool read_enum(JsonView json, T& value) {
    if (!has_kind(JsonView::Kind::string, json)) {
      return false;
    }
    const auto name = json.string();
    bool known = false;
    std::string names;
    boost::mp11::mp_for_each<EnumeratorsOf<T>>([&](auto d) {
      names += (names.empty() ? "" : ", ") + std::string(d.name);
      if (name == d.name) {
        value = d.value;
        known = true;
      }
    });
    return known || fails("one of " + names + " is expected");
  }

  template <class T>
  bool read_elements(JsonView json, std::vector<T>& value) {
    if (!has_kind(JsonView::Kind::array, json)) {
      return false;
    }
    value.clear();
    for (const auto& one : json.elements()) {
      T element{};
      const auto part = "[" + std::to_string(value.size()) + "]";
      if (!within(part, [&] { return read(one, element); })) {
        return false;
      }
      value.push_back(std::move(element));
    }
    return true;
  }

  template <class T>
  bool read_map(JsonView json, std::map<std::string, T>& value) {
    if (!has_kind(JsonView::Kind::object, json)) {
      return false;
    }
    value.clear();
    for (const auto& [name, one] : json.members()) {
      if (!within("." + name, [&] { return read(one, value[name]); })) {
        return false;
      }
    }
    return true;
  }

  template <class T>
  bool read_members(JsonView json, T& value) {
    if (!has_kind(JsonView::Kind::object, json)) {
      return false;
    }
    const auto members = json.members();
    bool well = true;
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto d) {
      if (!well) {
        return;
      }
      auto& member = value.*d.pointer;
      const JsonView* found = nullptr;
      for (const auto& [name, one] : members) {
        found = name == d.name ? &one : found;
      }
      if (found != nullptr) {
        well = within("." + std::string(d.name), [&] { return read(*found, member); });
      } else if (!is_optional<MemberType<T, decltype(d)>>) {
        well = fails("`" + std::string(d.name) + "` is missing");
      }
    });
    for (const auto& [name, one] : members) {
      bool known = false;
      std::string names;
      boost::mp11::mp_for_each<MembersOf<T>>([&](auto d) {
        known = known || name == d.name;
        names += (names.empty() ? "" : ", ") + std::string(d.name);
      });
      if (well && !known) {
        well = fails("there is no `" + name.substr(0, 40) + "`; its members are " + names);
      }
    }
    return well;
  }

  std::string place_;
  std::string message_;
};

template <class T>
bool DescribedReader::read(JsonView json, T& value) {
  if constexpr (is_optional<T>) {
    if (json.kind() == JsonView::Kind::null) {
      value.reset();
      return true;
    }
    return read(json, value.emplace());
  } else if constexpr (std::same_as<T, bool>) {
    return read_bool(json, value);
  } else if constexpr (DescribedEnum<T>) {
    return read_enum(json, value);
  } else if constexpr (std::integral<T>) {
    return read_integer(json, value);
  } else if constexpr (std::floating_point<T>) {
    double number = 0;
    const bool well = read_double(json, number);
    value = static_cast<T>(number);
    return well;
  } else if constexpr (std::same_as<T, std::string>) {
    return read_string(json, value);
  } else if constexpr (is_vector<T>) {
    return read_elements(json, value);
  } else if constexpr (is_map<T>) {
    return read_map(json, value);
  } else {
    static_assert(DescribedStruct<T>, "describe this type with BOOST_DESCRIBE_STRUCT or _ENUM");
    return read_members(json, value);
  }
}

}  // namespace understudy::llm::detail
