#!/usr/bin/env python3
"""Writes a C++ source file that holds backends.json, compact, as string literals.

usage: embed.py INPUT OUTPUT

Compilers need not support literals above 64 KiB (C++20, implementation quantities), so the text is divided.
"""
import json
import sys

PIECE = 8000
UNUSED = ('agents', 'mappings')  # for readers, not for the doubles

with open(sys.argv[1], encoding='utf-8') as file:
    facts = json.load(file)
for name in UNUSED:
    facts.pop(name, None)
text = json.dumps(facts, separators=(',', ':'), ensure_ascii=True)
assert ')json"' not in text
with open(sys.argv[2], 'w', encoding='ascii') as file:
    file.write('#include "testing/strict/embedded.hpp"\n\n'
               'namespace understudy::testing::strict {\nnamespace {\n\n'
               'constexpr std::string_view embedded_pieces[] = {\n')
    for at in range(0, len(text), PIECE):
        file.write('    R"json(%s)json",\n' % text[at:at + PIECE])
    file.write('};\n\n}  // namespace\n\n'
               'std::span<const std::string_view> embedded() noexcept { return embedded_pieces; }\n\n'
               '}  // namespace understudy::testing::strict\n')
