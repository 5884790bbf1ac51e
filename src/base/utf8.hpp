// UTF-8 (RFC 3629) in bytes that may be anything. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agentdb9::base {

// How long the character at the front of `bytes`, which are not empty, is; 0: it is none.
std::size_t utf8_character_length(std::string_view bytes);
// With U+FFFD for each byte that is of no character.
std::string as_valid_utf8(std::string_view bytes);
// The same, and for each zero byte: what every database takes for text.
std::string as_storable_text(std::string_view bytes);
// The end of `bytes` that has at most so many of them and begins with a character.
std::string_view last_characters(std::string_view bytes, std::size_t most);
// How many bytes at the end may be the beginning of a character whose rest is still to come: 0 to 3.
std::size_t unfinished_utf8(std::string_view bytes);

}  // namespace agentdb9::base
