/// Images and documents from files, as parts of a message.
///
/// Invariants
/// 1. What a file is, is decided by its first bytes, not by its name: PNG, JPEG, GIF, WebP; PDF, or text in UTF-8.
/// 2. A file is at most 32 MiB. What a provider accepts is usually less, and its refusal is a failure of the call
///    (`image_too_large`, `payload_too_large`).
/// 3. A document is a part of Anthropic's protocol, which is translated for members of other protocols (protocols.md 8).
///
///     Message question(Role::user, "What does the gauge show?");
///     question.parts.emplace_back(image_from_file("gauge.png").value());
///     question.parts.emplace_back(document_from_file("manual.pdf").value());
#pragma once

#include <cstddef>
#include <filesystem>

#include "understudy/export.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm {

inline constexpr std::size_t longest_file = std::size_t{32} * 1024 * 1024;

/// Reads an image; it blocks while it reads. Fails with the system's error code if the file cannot be read, and with
/// `format_error` if it is larger than `longest_file` or not an image that models accept. The message names the file.
UNDERSTUDY_API Result<ImagePart> image_from_file(const std::filesystem::path& file);

/// The same for a document. Its title is the file's name without folders.
UNDERSTUDY_API Result<OpaquePart> document_from_file(const std::filesystem::path& file);

}  // namespace understudy::llm
