// Keyset pagination. A list is sorted by columns that together tell any two rows apart, all of them
// downwards; a cursor holds the last row's values of these, as the database wrote them (a time keeps the
// microseconds that the model does not), as a JSON array in base64url. Clients must not look into it. Pure;
// any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/connection.hpp"

namespace agentdb9::store {

struct SortKey {
    enum class Kind { kFlag, kInteger, kTime, kId };
    std::string_view column;
    Kind kind;
};

std::string make_cursor(const Row& row, std::size_t first_key_column, std::size_t key_count);
// Throws Error{kInvalid} with field "cursor" when `cursor` is none of a list sorted by `keys`.
std::vector<Value> read_cursor(std::string_view cursor, std::span<const SortKey> keys);

// `"a" DESC, "b" DESC`
std::string order_by(std::span<const SortKey> keys);
// `("a", "b") < ($3, $4)` for first_parameter 3.
std::string after_cursor(std::span<const SortKey> keys, std::size_t first_parameter);

}  // namespace agentdb9::store
