// Bytes that are nearly what a parser expects: edits of given texts. What it does follows from the Random
// alone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/simulation/random.hpp"

namespace agentdb9::test {

// The content of each file of a directory, in the order of their names.
std::vector<std::string> read_files(const std::filesystem::path& directory);

// A few edits: bytes changed, parts taken out, doubled, moved or taken from one of `others`.
std::string mutated(std::string text, const std::vector<std::string>& others, Random& random);

// Printable ASCII as it is, every other byte and the backslash as \xNN.
std::string escaped(std::string_view bytes);

}  // namespace agentdb9::test
